# C++ text without what is not code. strip(line) blanks comments and the contents of string and
# character literals, and keeps state across lines; call strip_reset() at the start of a file.
# Columns move, lines do not. Works with mawk, gawk and busybox.

function strip_reset() { in_comment = 0; raw_end = "" }

function strip(line,   out, at, end, quote, mark, c) {
  out = ""
  while (line != "") {
    if (in_comment) {
      end = index(line, "*/")
      if (!end) return out
      line = substr(line, end + 2)
      in_comment = 0
      out = out " "
      continue
    }
    if (raw_end != "") {
      end = index(line, raw_end)
      if (!end) return out
      line = substr(line, end + length(raw_end))
      raw_end = ""
      out = out "\"\""
      continue
    }
    at = match(line, /["'\/]/)
    if (!at) return out line
    c = substr(line, at, 1)
    if (c == "/") {
      mark = substr(line, at, 2)
      if (mark == "//") return out substr(line, 1, at - 1)
      if (mark == "/*") {
        out = out substr(line, 1, at - 1)
        line = substr(line, at + 2)
        in_comment = 1
      } else {
        out = out substr(line, 1, at)
        line = substr(line, at + 1)
      }
      continue
    }
    # 1'000 is a number.
    if (c == "'" && at > 1 && substr(line, at - 1, 1) ~ /[0-9A-Fa-f]/ &&
        substr(line, at + 1, 1) ~ /[0-9A-Fa-f]/ && substr(line, 1, at - 1) ~ /[0-9][0-9A-Fa-fxXbB']*$/) {
      out = out substr(line, 1, at - 1)
      line = substr(line, at + 1)
      continue
    }
    if (c == "\"" && at > 1 && substr(line, at - 1, 1) == "R") {
      end = index(substr(line, at), "(")
      if (end) {
        raw_end = ")" substr(line, at + 1, end - 2) "\""
        out = out substr(line, 1, at - 2)
        line = substr(line, at + end)
        continue
      }
    }
    out = out substr(line, 1, at - 1) c
    line = substr(line, at + 1)
    while (line != "") {
      mark = substr(line, 1, 1)
      if (mark == "\\") { line = substr(line, 3); continue }
      line = substr(line, 2)
      if (mark == c) break
    }
    out = out c
  }
  return out
}
