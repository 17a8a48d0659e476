#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "chappe/async/executor.h"
#include "chappe/async/wait_list.h"
#include "chappe/sync/signal.h"
#include "chappe/tx/journal.h"
#include "chappe/tx/law.h"
#include "chappe/tx/ledger.h"
#include "chappe/tx/record.h"
#include "chappe/tx/restart.h"

namespace chappe::tx {

/// A ledger that no crash can make forget: what is spent was promised on the disk before.
///
/// The promise is made ahead, for some seconds of airtime at once, while nobody waits for it; so a
/// disk that is slow costs nothing and one that is full is noticed early. A crash spends what was
/// promised and not used. Each record goes to both copies, one after the other, the older one
/// first: at any instant at least one of them is whole and promises enough.
///
/// Invariant: ledger.total() <= promised, and the newest whole copy promises at least as much.
/// Context: the executor's tasks. Memory: in place.
class Lease final : public Law {
 public:
  struct Terms {
    Duration size{};    // airtime between two records
    Duration margin{};  // what is left when the next record is begun
  };
  /// Ten seconds, half of it as margin; a tenth where the longest rule allows less than 100 s.
  static Terms terms_for(std::span<const Rule> rules);

  Lease(async::Executor& executor,
        Ledger& ledger,
        Journal& journal,
        const AirtimeOwner& owner,
        const Terms& terms);
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();

  /// Gives the ledger its history and begins to keep it. Once, before anything is reserved.
  void start(const Restart& from);
  /// Ends it; what is promised stays promised.
  void stop();
  /// After stop(): the record of an orderly end, which promises nothing more. Whoever can wait
  /// writes it to both copies, first to next_copy().
  RecordBytes closing_record();
  std::size_t next_copy() const { return next_copy_; }

  Time earliest(Duration airtime, Time at) const override { return ledger_.earliest(airtime, at); }
  std::optional<Reservation> reserve(Duration airtime, Time now) override;
  std::uint32_t spent_ppm(Time now) const override { return ledger_.spent_ppm(now); }
  Usage usage(Time now) const override { return ledger_.usage(now); }
  Promise promise(Duration airtime) override;
  sync::Signal* news() override { return &news_; }

  /// Records made durable, both copies of each; and tries that failed.
  std::uint64_t write_count() const { return writes_; }
  std::uint64_t failure_count() const { return failures_; }
  bool is_failing() const { return failing_; }
  /// What a crash at this moment would cost.
  Duration unused() const { return promised_ - ledger_.total(); }

 private:
  void commit(std::uint64_t, Time, Duration) override {}  // the ledger settles its reservations
  void cancel(std::uint64_t) override {}
  bool is_wanted() const { return asked_ > Duration::zero() || unused() < terms_.margin; }
  async::Task<> keep_promising();
  async::Task<bool> write_both();
  void encode_record(Duration promised);

  async::Executor& executor_;
  Ledger& ledger_;
  Journal& journal_;
  const AirtimeOwner owner_;
  const Terms terms_;
  Duration promised_{};  // of ledger_.total(), durably
  Duration asked_{};     // the longest frame that waits for a promise
  Record record_;
  RecordBytes bytes_;
  std::uint32_t sequence_ = 0;
  std::size_t next_copy_ = 0;
  std::uint64_t writes_ = 0;
  std::uint64_t failures_ = 0;
  bool failing_ = false;
  bool started_ = false;
  async::WaitList wanted_;
  sync::Signal news_;
  async::TaskSlot<2048> slot_;
};

}  // namespace chappe::tx
