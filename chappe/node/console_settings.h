#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "chappe/node/board.h"
#include "chappe/node/console_text.h"
#include "chappe/node/repeater.h"
#include "chappe/tx/bucket.h"

namespace chappe::node {

/// Who types: the local console may see and do more than an administrator far away.
enum class Origin : std::uint8_t { local, remote };

/// `get …` and `set …` (protocol 13.2). A setting takes effect at once where it can; the radio's
/// parameters and the key count from the next start.
class SettingsCommands {
 public:
  /// `bucket` may be null: then the share of airtime is the law's, and nobody's to set here.
  SettingsCommands(Repeater& repeater, Board& board, tx::Bucket* bucket)
      : repeater_(repeater), board_(board), bucket_(bucket) {}

  /// `line` is what follows "get " or "set ".
  void get(std::string_view line, Origin origin, Reply& out);
  void set(std::string_view line, Origin origin, Reply& out);

  /// `password …`.
  void set_password(std::string_view password, Reply& out);

  /// Is told settings as the arguments that `set` takes.
  class Visitor {
   public:
    virtual void visit(std::string_view name, std::string_view value) = 0;

   protected:
    ~Visitor() = default;
  };
  /// All that is to be kept for a later start, each value once, but the private key and the
  /// administrator's password.
  void visit_kept(Visitor& visitor);

 private:
  using Getter = void (SettingsCommands::*)(Reply&);
  using Setter = void (SettingsCommands::*)(std::string_view, Reply&);
  enum class Reach : std::uint8_t { everywhere, local_get, local_set };
  enum class Match : std::uint8_t { prefix, exact };

  /// One setting; null functions are what cannot be read, or set.
  struct Setting {
    std::string_view name;
    Getter get;
    Setter set;
    Reach reach = Reach::everywhere;
    Match match = Match::prefix;
  };
  static const Setting kSettings[];

  Preferences& preferences() { return repeater_.preferences(); }
  mesh::Rules& rules() { return repeater_.rules(); }
  bool is_checked() const { return repeater_.settings().ranges == Ranges::checked; }

  // A number as the reference reads it, or one that is nothing but a number.
  std::optional<double> read(std::string_view value) const;
  std::optional<std::int32_t> read_integer(std::string_view value) const;
  // The same for what the reference does not check: nothing only if ours does.
  std::optional<double> read_within(std::string_view value, double low, double high) const;
  void saved(Reply& out, std::string_view reply = "OK");
  void keep();

  void get_af(Reply&);
  void get_dutycycle(Reply&);
  void get_int_thresh(Reply&);
  void get_cad(Reply&);
  void get_agc(Reply&);
  void get_multi_acks(Reply&);
  void get_read_only(Reply&);
  void get_flood_advert(Reply&);
  void get_advert(Reply&);
  void get_guest_password(Reply&);
  void get_prv_key(Reply&);
  void get_public_key(Reply&);
  void get_name(Reply&);
  void get_repeat(Reply&);
  void get_radio(Reply&);
  void get_freq(Reply&);
  void get_tx(Reply&);
  void get_lat(Reply&);
  void get_lon(Reply&);
  void get_rxdelay(Reply&);
  void get_txdelay(Reply&);
  void get_direct_txdelay(Reply&);
  void get_flood_max(Reply&);
  void get_flood_max_unscoped(Reply&);
  void get_flood_max_advert(Reply&);
  void get_owner_info(Reply&);
  void get_path_hash_mode(Reply&);
  void get_loop_detect(Reply&);
  void get_rx_gain(Reply&);
  void get_role(Reply&);
  void get_bridge_type(Reply&);
  void get_extra_sf(Reply&);
  void get_power_support(Reply&);
  void get_power_reason(Reply&);
  void get_power(Reply&);
  void get_unsupported(Reply&);

  void set_af(std::string_view, Reply&);
  void set_dutycycle(std::string_view, Reply&);
  void set_int_thresh(std::string_view, Reply&);
  void set_cad(std::string_view, Reply&);
  void set_agc(std::string_view, Reply&);
  void set_multi_acks(std::string_view, Reply&);
  void set_read_only(std::string_view, Reply&);
  void set_flood_advert(std::string_view, Reply&);
  void set_advert(std::string_view, Reply&);
  void set_guest_password(std::string_view, Reply&);
  void set_prv_key(std::string_view, Reply&);
  void set_name(std::string_view, Reply&);
  void set_repeat(std::string_view, Reply&);
  void set_radio(std::string_view, Reply&);
  void set_freq(std::string_view, Reply&);
  void set_tx(std::string_view, Reply&);
  void set_lat(std::string_view, Reply&);
  void set_lon(std::string_view, Reply&);
  void set_rxdelay(std::string_view, Reply&);
  void set_txdelay(std::string_view, Reply&);
  void set_direct_txdelay(std::string_view, Reply&);
  void set_flood_max(std::string_view, Reply&);
  void set_flood_max_unscoped(std::string_view, Reply&);
  void set_flood_max_advert(std::string_view, Reply&);
  void set_owner_info(std::string_view, Reply&);
  void set_path_hash_mode(std::string_view, Reply&);
  void set_loop_detect(std::string_view, Reply&);
  void set_rx_gain(std::string_view, Reply&);
  void set_unsupported(std::string_view, Reply&);

  void set_hops(std::string_view value, std::uint8_t& hops, Reply& out);
  void set_delay(
      std::string_view value, float most, std::string_view error, float& delay, Reply& out);
  void set_degrees(std::string_view value, double most, double& degrees, Reply& out);

  Repeater& repeater_;
  Board& board_;
  tx::Bucket* const bucket_;
};

/// "f,bw,sf,cr" with anything behind, in the ranges of protocol section 2; nothing otherwise.
/// `rest` becomes what follows the fourth comma.
std::optional<RadioPreferences> parse_radio(std::string_view words, std::string_view& rest);

}  // namespace chappe::node
