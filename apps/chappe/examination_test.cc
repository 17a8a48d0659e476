#include "apps/chappe/examination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/air.h"
#include "chappe/sim/sx1262_chip.h"

namespace chappe::app {
namespace {

using sim::ChipFault;
using testing::HasSubstr;

// A chip, whatever is the matter with it, and who looks at it.
class Patient {
 public:
  explicit Patient(const sim::ChipBoard& around = {}, const radio::sx126x::Board& board = {})
      : chip_(executor_, air_, around), examination_(executor_, chip_, board, {}, seconds(5)) {}

  sim::Sx1262Chip& chip() { return chip_; }
  Patient& examined() {
    examination_.start();
    for (int i = 0; i < 60 && !examination_.done(); ++i) {
      port_.run(executor_, executor_.now() + seconds(1));
    }
    EXPECT_TRUE(examination_.done());
    return *this;
  }
  bool is_well() const { return examination_.is_well(); }
  const Finding& last_bad() const {
    static const Finding none;
    for (const Finding& finding : examination_.findings()) {
      if (finding.verdict == Finding::Verdict::bad) return finding;
    }
    return none;
  }
  const Finding& about(std::string_view what) const {
    static const Finding none;
    for (const Finding& finding : examination_.findings()) {
      if (finding.what == what) return finding;
    }
    return none;
  }
  Duration radiated() const { return air_.airtime(chip_.station()); }
  bool in_reset() const { return chip_.mode() == sim::Sx1262Chip::Mode::starting; }

 private:
  port::VirtualPort port_;
  async::Executor executor_{port_};
  sim::Air air_{executor_, 1};
  sim::Sx1262Chip chip_;
  Examination examination_;
};

void ail(Patient& patient, ChipFault fault) {
  patient.chip().strike({.fault = fault, .lasts = hours(1)});
}

TEST(Examination, FindsASoundChipWellAndTransmitsNothing) {
  Patient patient;
  patient.examined();
  EXPECT_TRUE(patient.is_well()) << patient.last_bad().words;
  for (const char* what : {"BUSY", "SPI", "oscillator", "receiver", "DIO1", "noise", "others"}) {
    EXPECT_EQ(patient.about(what).verdict, Finding::Verdict::good) << what;
    EXPECT_FALSE(patient.about(what).words.empty()) << what;
  }
  EXPECT_EQ(patient.about("noise").words, "-119 dBm");
  EXPECT_EQ(patient.radiated(), Duration::zero());
}

TEST(Examination, SaysThatNobodyAnswers) {
  Patient patient;
  ail(patient, ChipFault::silent);
  EXPECT_FALSE(patient.examined().is_well());
  EXPECT_EQ(patient.last_bad().what, "SPI");
  EXPECT_THAT(patient.last_bad().advice, HasSubstr("[board] spi"));
}

TEST(Examination, SaysThatTheHostsOwnBusFails) {
  Patient patient;
  ail(patient, ChipFault::spi_unheard);
  EXPECT_FALSE(patient.examined().is_well());
  EXPECT_THAT(patient.last_bad().advice, HasSubstr("dmesg"));
}

TEST(Examination, SaysThatBusyStaysHigh) {
  Patient patient;
  ail(patient, ChipFault::busy_stuck);
  EXPECT_FALSE(patient.examined().is_well());
  EXPECT_EQ(patient.last_bad().what, "BUSY");
  EXPECT_THAT(patient.last_bad().advice, HasSubstr("[board] busy"));
}

TEST(Examination, SaysThatTheLineOfInterruptsIsNotWired) {
  Patient patient;
  ail(patient, ChipFault::dio1_lost);
  EXPECT_FALSE(patient.examined().is_well());
  EXPECT_EQ(patient.last_bad().what, "DIO1");
  EXPECT_THAT(patient.last_bad().advice, HasSubstr("[board] irq"));
}

TEST(Examination, SaysThatTheOscillatorIsAnotherKind) {
  Patient patient({.has_tcxo = true});
  EXPECT_FALSE(patient.examined().is_well());
  EXPECT_EQ(patient.last_bad().what, "oscillator");
  EXPECT_THAT(patient.last_bad().advice, HasSubstr("tcxo"));
}

TEST(Examination, SaysThatItHearsNothingOrTooMuch) {
  Patient deaf({.noise = Dbm{-127 * 4}});
  EXPECT_FALSE(deaf.examined().is_well());
  EXPECT_EQ(deaf.last_bad().what, "noise");
  Patient loud({.noise = Dbm{-80 * 4}});
  EXPECT_TRUE(loud.examined().is_well());
  EXPECT_EQ(loud.about("noise").verdict, Finding::Verdict::doubtful);
}

}  // namespace
}  // namespace chappe::app
