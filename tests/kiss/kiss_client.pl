#!/usr/bin/perl
# A program that drives a KISS modem, written from docs/formats/kiss.md alone and in another
# language than the modem: it shares no line with it. Needs nothing but perl itself.
#
#   kiss_client.pl pty PATH
#   kiss_client.pl tcp HOST PORT [PASSWORD]
#
# Says what it does, a line each, and ends with 0 if the modem did all of it.
use strict;
use warnings;
use Fcntl;
use IO::Socket::INET;
use POSIX qw(:termios_h);
use Time::HiRes qw(time);

my ($way, @where) = @ARGV;
my $line = $way eq 'tcp' ? open_tcp(@where) : open_pty(@where);
my $unread = '';
my @frames;

sub open_tcp {
  my ($host, $port, $password) = @_;
  my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Proto => 'tcp')
      or die "cannot connect: $!\n";
  syswrite($socket, "$password\n") if defined $password;
  return $socket;
}

sub open_pty {
  my ($path) = @_;
  sysopen(my $tty, $path, O_RDWR | O_NOCTTY) or die "cannot open $path: $!\n";
  # As serial programs do: raw, and at some speed.
  my $termios = POSIX::Termios->new;
  $termios->getattr(fileno $tty) or die "not a terminal\n";
  $termios->setlflag(0);
  $termios->setiflag(0);
  $termios->setoflag(0);
  $termios->setospeed(&POSIX::B9600);
  $termios->setcc(VMIN, 1);
  $termios->setattr(fileno $tty, TCSANOW) or die "cannot set it up\n";
  return $tty;
}

sub say_frame {
  my ($frame) = @_;
  $frame =~ s/\xdb/\xdb\xdd/g;
  $frame =~ s/\xc0/\xdb\xdc/g;
  syswrite($line, "\xc0$frame\xc0") or die "cannot write: $!\n";
}

# The next frame, or nothing when `$until` has come.
sub next_frame {
  my ($until) = @_;
  while (!@frames) {
    my $left = $until - time;
    return undef if $left <= 0;
    my $ready = '';
    vec($ready, fileno($line), 1) = 1;
    next unless select($ready, undef, undef, $left) > 0;
    sysread($line, $unread, 4096, length $unread) or die "the modem has hung up\n";
    while ($unread =~ s/^[^\xc0]*\xc0([^\xc0]*)(?=\xc0)//) {
      my $frame = $1;
      $frame =~ s/\xdb\xdc/\xc0/g;
      $frame =~ s/\xdb\xdd/\xdb/g;
      push @frames, $frame if length $frame;
    }
  }
  return shift @frames;
}

my @heard;
my $reports = 0;

# The first frame that begins with `$beginning`. What the radio hears meanwhile is kept.
sub wait_for {
  my ($beginning, $seconds) = @_;
  my $until = time + $seconds;
  while (defined(my $frame = next_frame($until))) {
    return $frame if substr($frame, 0, length $beginning) eq $beginning;
    if (substr($frame, 0, 1) eq "\x00") {
      push @heard, $frame;
    } elsif (substr($frame, 0, 2) eq "\x06\xf9") {
      die "a report that follows no frame\n" unless @heard > $reports;
      die "a report of another length\n" unless length $frame == 4;
      ++$reports;
    } else {
      die 'not asked for: ' . unpack('H*', $frame) . "\n";
    }
  }
  return undef;
}

sub ask {
  my ($what, $request, $answer) = @_;
  say_frame($request);
  my $frame = wait_for($answer, 10);
  die "$what: no answer\n" unless defined $frame;
  print "$what: ", unpack('H*', substr $frame, 2), "\n";
  return substr $frame, 2;
}

ask('ping', "\x06\x17", "\x06\x97");
ask('version', "\x06\x11", "\x06\x91") eq "\x01\x00" or die "another version\n";
my $key = ask('identity', "\x06\x01", "\x06\x81");
my $radio = ask('radio', "\x06\x0b", "\x06\x8b");
ask('set radio', "\x06\x09$radio", "\x06\xf0");
my ($hz, $bandwidth, $sf, $cr) = unpack 'VVCC', $radio;
ask('set another radio', "\x06\x09" . pack('VVCC', $hz + 1_000_000, $bandwidth, $sf, $cr),
    "\x06\xf1") eq "\x02" or die "another error\n";
length ask('random', "\x06\x02\x20", "\x06\x82") == 32 or die "another length\n";
my $signature = ask('sign', "\x06\x04some message", "\x06\x84");
ask('verify', "\x06\x03$key${signature}some message", "\x06\x83") eq "\x01"
    or die "its own signature does not verify\n";
ask('unknown', "\x06\x70", "\x06\xf1") eq "\x05" or die "another error\n";

# At once, as a node does that does its own waiting.
say_frame("\x01\x00");
say_frame("\x02\xff");
my $packet = "\x3e\x00" . join '', map { chr int rand 256 } 1 .. 12;  # of an application's own
say_frame("\x00$packet");
my $done = wait_for("\x06\xf8", 60);
die "the end of the transmission was not told\n" unless defined $done;
die "it was not sent\n" unless $done eq "\x06\xf8\x01";
print 'sent: ', unpack('H*', $packet), "\n";

my $until = time + 30;
wait_for("\xff", 0.5) while @heard < 3 && time < $until;
die "heard only " . @heard . " frames\n" if @heard < 3;
print 'heard: ', unpack('H*', substr $_, 1), "\n" for @heard;
print "all of it\n";
