#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/base/result.h"
#include "chappe/config/configuration.h"
#include "chappe/mesh/identity.h"
#include "chappe/port/linux/journal/journal_file.h"
#include "chappe/tx/bucket.h"
#include "chappe/tx/lease.h"
#include "chappe/tx/ledger.h"
#include "chappe/tx/restart.h"

namespace chappe::app {

/// The law that a run obeys, with what is known of the airtime spent before it: the ledger of the
/// configured band, and its journal in the state directory.
class AirtimeBudget {
 public:
  /// Opens the journal and decides what the past counts for. The error is a sentence: without a
  /// journal nothing may be sent, so nothing starts.
  static Result<std::unique_ptr<AirtimeBudget>, std::string> create(
      const config::Configuration& configuration,
      const std::string& state_directory,
      const mesh::PublicKey& own,
      bool identity_is_new,
      async::Executor& executor);

  tx::Law& law();
  /// Begins to keep the journal.
  void start();
  /// After the last transmission: what was promised and not spent is given back.
  void finish();
  /// A line or two for whoever started the program.
  void describe(std::ostream& out) const;

 private:
  AirtimeBudget(const config::Configuration& configuration,
                const tx::AirtimeOwner& owner,
                std::unique_ptr<port::JournalFile> journal,
                bool identity_is_new,
                async::Executor& executor);

  const config::Configuration& configuration_;
  async::Executor& executor_;
  tx::Ledger ledger_;
  std::unique_ptr<port::JournalFile> journal_;  // nothing where no rule looks back
  tx::Restart restart_;
  std::optional<tx::Lease> lease_;
  std::optional<tx::Bucket> bucket_;
};

}  // namespace chappe::app
