// The driver on the model keeps what every radio promises.
#include "chappe/radio/radio_contract.h"
#include "tests/sx126x/chip_world.h"

namespace chappe::radio::contract {
namespace {

struct CrystalWorld : sx126x::ChipWorld {
  CrystalWorld() { begun(); }
};

// A board with everything: a TCXO, and it looks before it talks whatever the receiver knows.
struct TcxoWorld : sx126x::ChipWorld {
  TcxoWorld()
      : ChipWorld({.tcxo = sx126x::TcxoVoltage::v1_8, .sensing = sx126x::Sensing::always},
                  {.has_tcxo = true}) {
    begun();
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sx1262WithCrystal, RadioContract, CrystalWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Sx1262WithTcxo, RadioContract, TcxoWorld);

}  // namespace
}  // namespace chappe::radio::contract
