#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/base/random.h"
#include "chappe/mesh/crypto.h"
#include "chappe/radio/modulation.h"
#include "chappe/sim/air.h"
#include "chappe/sim/sim_radio.h"

namespace chappe::sim {

/// Some neighbours in an invented air, so that a newcomer has somebody to hear: three repeaters
/// (one so far away that it is barely heard) and two people who write to each other.
///
/// It opens with packets captured on real meshes. Then somebody says something every 5 to 20 s:
/// texts on the public channel, adverts signed with keys of their own, the same frame twice, a
/// letter that only the newcomer can carry and its acknowledgement, bytes that are no packet. The
/// repeaters are node::Repeaters: what they hear they judge, delay and repeat like any other.
///
/// Everything follows from the seed and the executor's clock. Context: one executor. Memory: about
/// 270 KB for each neighbour, most of it the ledger; all of it in the constructor.
class Neighbourhood {
 public:
  static constexpr std::size_t kNeighbours = 5;

  struct Settings {
    std::uint64_t seed = 1;
    radio::Modulation modulation;
    std::uint32_t unix_start = 1'767'225'600;  // wall clock at start(), for timestamps
  };

  /// Joins `air`, which must have kNeighbours places left.
  Neighbourhood(async::Executor& executor, Air& air, const Settings& settings);
  Neighbourhood(const Neighbourhood&) = delete;
  Neighbourhood& operator=(const Neighbourhood&) = delete;
  ~Neighbourhood();

  /// Puts a station of the same air among them, in good range of all but one. `own` is the key of
  /// its node: letters are routed through it. Before start().
  void welcome(StationId newcomer, const mesh::PublicKey& own);

  void start();
  void stop();

 private:
  class Neighbour;
  enum class Act : std::uint8_t { text, far_text, advert, duplicate, letter, garbage };

  async::Task<> live();
  async::Task<> open();
  async::Task<> write_a_letter();
  async::Task<> utter_garbage();
  void say(Neighbour& who);
  void advertise(Neighbour& who);
  Act draw();
  Neighbour& somebody_near();
  std::uint32_t unix_now() const;

  async::Executor& executor_;
  Air& air_;
  const Settings settings_;
  SeededRandom random_;
  std::vector<std::unique_ptr<Neighbour>> neighbours_;
  bool has_newcomer_ = false;
  mesh::PublicKey newcomer_{};
  Time started_{};
  std::vector<Act> deck_;
  std::size_t drawn_ = 0;
  std::size_t said_ = 0;
  async::TaskSlot<8192> slot_;
};

}  // namespace chappe::sim
