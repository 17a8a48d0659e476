# shellcheck shell=sh
# files PATTERN…: the project's own files that match, one a line; also outside a git clone.
files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -co --exclude-standard -- "$@" | while read -r file; do
      if [ -f "$file" ]; then printf '%s\n' "$file"; fi
    done
  else
    for pattern in "$@"; do find . -path ./build -prune -o -type f -name "$pattern" -print; done |
      sed 's|^\./||'
  fi | grep -v -e '^third_party/' -e '^build/' | sort -u
}
