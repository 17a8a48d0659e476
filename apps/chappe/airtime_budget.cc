#include "apps/chappe/airtime_budget.h"

#include <algorithm>
#include <ostream>
#include <string_view>
#include <utility>

#include "apps/chappe/wiring.h"
#include "chappe/base/bytes.h"
#include "chappe/config/quantity.h"
#include "chappe/config/regions.h"

namespace chappe::app {
namespace {

// Half of the node's key and the edges of its band.
tx::AirtimeOwner owner_of(const mesh::PublicKey& own, const config::Band& band) {
  ByteBuffer<16> bytes(Bytes(own).first(8));
  bytes.append_le32(band.low.count);
  bytes.append_le32(band.high.count);
  tx::AirtimeOwner owner{};
  std::ranges::copy(bytes.view(), owner.begin());
  return owner;
}

// The reference's setting: it sends for 1 / (1 + factor) of the time.
float factor_of(const config::Configuration& configuration) {
  float share = 1;
  for (const tx::Rule& rule : rules_of(configuration)) {
    share = std::min(
        share, static_cast<float>(in_us(rule.limit)) / static_cast<float>(in_us(rule.window)));
  }
  return share > 0 ? 1 / share - 1 : 1e9F;
}

std::string_view words_of(tx::Past past) {
  constexpr std::string_view kWords[] = {
      "nothing was ever sent",
      "known from before, in this boot of the machine",
      "known from before the machine started again",
      "known, but not how long the machine was off: counted as if it had not been",
      "unknown: its record is missing beside an identity that is not new",
      "unknown: its record is damaged",
      "unknown: its record is another node's or of another boot",
      "unknown: its record does not reach back as far as the rules do"};
  return kWords[static_cast<std::size_t>(past)];
}

tx::UnknownPast unknown_past(const config::Configuration& configuration) {
  return configuration.law.unknown_past == config::UnknownPast::exhausted
             ? tx::UnknownPast::exhausted
             : tx::UnknownPast::paced;
}

}  // namespace

Result<std::unique_ptr<AirtimeBudget>, std::string> AirtimeBudget::create(
    const config::Configuration& configuration,
    const std::string& state_directory,
    const mesh::PublicKey& own,
    bool identity_is_new,
    async::Executor& executor) {
  const config::Band& band = *config::limits_of(configuration).band;
  std::unique_ptr<port::JournalFile> journal;
  const bool looks_back = !rules_of(configuration).empty();
  if (looks_back && configuration.law.kind == config::LawKind::exact) {
    const std::string path =
        state_directory + "/airtime-" + configuration.region + "-" + std::string(band.id);
    auto opened = port::JournalFile::open(path, executor.wakes());
    if (!opened) return Unexpected(opened.error());
    journal = *std::move(opened);
  }
  return std::unique_ptr<AirtimeBudget>(new AirtimeBudget(
      configuration, owner_of(own, band), std::move(journal), identity_is_new, executor));
}

AirtimeBudget::AirtimeBudget(const config::Configuration& configuration,
                             const tx::AirtimeOwner& owner,
                             std::unique_ptr<port::JournalFile> journal,
                             bool identity_is_new,
                             async::Executor& executor)
    : configuration_(configuration),
      executor_(executor),
      ledger_(rules_of(configuration), single_limits_of(configuration)),
      journal_(std::move(journal)) {
  if (configuration.law.kind == config::LawKind::bucket) {
    bucket_.emplace(executor, modulation_of(configuration), factor_of(configuration));
  }
  if (journal_ == nullptr) return;
  lease_.emplace(executor_, ledger_, *journal_, owner, tx::Lease::terms_for(ledger_.rules()));
  tx::Found found = journal_->found();
  // The key that airtime is counted for was made by this run.
  if (found.place == tx::Found::Place::no_file && identity_is_new) {
    found.place = tx::Found::Place::new_directory;
  }
  restart_ =
      tx::restart(found, owner, ledger_.rules(), journal_->clocks(), unknown_past(configuration));
}

tx::Law& AirtimeBudget::law() {
  if (bucket_) return *bucket_;
  if (lease_) return *lease_;
  return ledger_;
}

void AirtimeBudget::start() {
  if (!lease_) return;
  // Whatever happens from here on, the next start finds what this one knew.
  lease_->start(restart_);
  const tx::RecordBytes known = lease_->closing_record();
  if (journal_->write_now(restart_.next_copy, known)) {
    journal_->write_now(1 - restart_.next_copy, known);
  }
}

void AirtimeBudget::finish() {
  if (!lease_) return;
  lease_->stop();
  const tx::RecordBytes closing = lease_->closing_record();
  const std::size_t first = lease_->next_copy();
  // One that fails leaves the other as it is, with its promise.
  if (journal_->write_now(first, closing)) journal_->write_now(1 - first, closing);
}

void AirtimeBudget::describe(std::ostream& out) const {
  for (const tx::Rule& rule : ledger_.rules()) {
    out << "  law      at most " << config::print(rule.limit) << " on the air in any "
        << config::print(rule.window) << " (" << configuration_.region << ")\n";
  }
  if (bucket_) out << "           kept by the reference's bucket, which spends up to twice that\n";
  if (!lease_) return;
  out << "  airtime  " << words_of(restart_.past) << "\n";
  if (is_unknown(restart_.past)) {
    const Duration silent = std::max(
        Duration::zero(), ledger_.earliest(milliseconds(1), executor_.now()) - executor_.now());
    out << "           nothing is sent for the next " << silent / minutes(1) << " minutes\n";
  }
}

}  // namespace chappe::app
