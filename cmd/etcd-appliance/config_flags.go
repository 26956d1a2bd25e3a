package main

// This file says what each setting accepts. The rules are:
//   - A value is checked by the Set of its flag and nowhere else, whichever source it comes from.
//   - A parser's error continues the sentence `"value" …`, and its hint says what is allowed.
//   - Where nothing is a meaning ("no DNS"), the empty string is allowed.

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// setting is the pflag.Value of one field of Config.
type setting struct {
	set   func(string) error
	texts []string // what was set, as it was written
	many  bool     // may be given more than once
}

func (s *setting) Set(text string) error {
	if err := s.set(text); err != nil {
		return err
	}
	if !s.many {
		s.texts = nil
	}
	s.texts = append(s.texts, text)
	return nil
}

func (s *setting) String() string { return strings.Join(s.texts, " ") }

func (s *setting) Type() string { return "value" }

// configFlags gives the flags of c, and sets c to the defaults.
func configFlags(c *Config) *pflag.FlagSet {
	fs := pflag.NewFlagSet("config", pflag.ContinueOnError)
	fs.SortFlags = false

	addSetting(fs, "cluster-name", &c.ClusterName, "", optional(parseClusterName))
	addSetting(fs, "group", &c.Group, "", parseText)
	addSetting(fs, "hosted-zone", &c.HostedZone, "", optional(parseZone))
	addSetting(fs, "bucket", &c.Bucket, "", optional(parseBucket))
	addSetting(fs, "on-total-loss", &c.OnTotalLoss, "halt", oneOf(states.NewOnTotalLoss, states.HaltOnTotalLoss))

	fs.Var(&setting{set: func(text string) error {
		minor, exact, err := parseVersion(text)
		if err == nil {
			c.EtcdVersion, c.EtcdExact = minor, exact
		}
		return err
	}}, "etcd-version", "")
	addSetting(fs, "etcd-version-prev", &c.EtcdVersionPrev, "", optional(parseMinor))
	addSetting(fs, "etcd-dir", &c.EtcdDir, "/opt/etcd", parsePath)
	addSetting(fs, "data-dir", &c.DataDir, "/var/lib/etcd-appliance", parsePath)
	fs.Var(&setting{many: true, set: func(text string) error {
		arg, err := parseEtcdArg(text)
		if err == nil {
			c.EtcdArgs = append(c.EtcdArgs, arg)
		}
		return err
	}}, "etcd-arg", "")

	addSetting(fs, "config", &c.ConfigFile, "", optional(parsePath))
	addSetting(fs, "dry-run", &c.DryRun, "false", parseBool).NoOptDefVal = "true"
	addSetting(fs, "status-address", &c.StatusAddress, "127.0.0.1:2381", parseStatusAddress)
	addSetting(fs, "log-format", &c.LogFormat, "auto", oneOf("json", "console", "auto"))
	addSetting(fs, "log-level", &c.LogLevel, "info", oneOf("trace", "debug", "info", "warn", "error"))

	// Rarely used: on the page of --help-all only.
	addSetting(fs, "active-regions", &c.ActiveRegions, "", optional(parseRegions)).Hidden = true
	addSetting(fs, "address", &c.Address, privateAddress, oneOf(privateAddress, publicAddress)).Hidden = true
	addSetting(fs, "peer-security-group", &c.PeerSecurityGroup, "", optional(parseSecurityGroup)).Hidden = true
	addSetting(fs, "client-port", &c.ClientPort, "2379", parsePort).Hidden = true
	addSetting(fs, "peer-port", &c.PeerPort, "2380", parsePort).Hidden = true
	addSetting(fs, "snapshot-count", &c.SnapshotCount, "5000", parseCount).Hidden = true
	addSetting(fs, "tag-interval", &c.TagInterval, "5m", parseDuration).Hidden = true
	addSetting(fs, "launching-hook", &c.LaunchingHook, "etcd-appliance-launching", parseHook).Hidden = true
	addSetting(fs, "terminating-hook", &c.TerminatingHook, "etcd-appliance-terminating", parseHook).Hidden = true
	addSetting(fs, "replace-unhealthy-after", &c.ReplaceUnhealthyAfter, "0s", parseWait).Hidden = true
	addSetting(fs, "stop-grace", &c.StopGrace, "40s", parseDuration).Hidden = true
	passEnv := addSetting(fs, "pass-etcd-env", &c.PassEtcdEnv, "false", parseBool)
	passEnv.NoOptDefVal, passEnv.Hidden = "true", true
	tlsFlags(fs, &c.TLS)
	return fs
}

// addSetting makes a flag of a field and its parser. The default is set the way that every other value is.
func addSetting[T any](fs *pflag.FlagSet, name string, field *T, byDefault string, parse func(string) (T, error)) *pflag.Flag {
	s := &setting{set: func(text string) error {
		v, err := parse(text)
		if err == nil {
			*field = v
		}
		return err
	}}
	if err := s.Set(byDefault); err != nil {
		panic(fmt.Sprintf("default of --%s: %v", name, err))
	}
	return fs.VarPF(s, name, "", "")
}

func optional[T any](parse func(string) (T, error)) func(string) (T, error) {
	return func(text string) (T, error) {
		if text == "" {
			var nothing T
			return nothing, nil
		}
		return parse(text)
	}
}

func oneOf[T ~string](allowed ...T) func(string) (T, error) {
	return func(text string) (T, error) {
		if slices.Contains(allowed, T(text)) {
			return T(text), nil
		}
		var words []string
		for _, a := range allowed {
			words = append(words, string(a))
		}
		last := len(words) - 1
		choice := strings.Join(words[:last], ", ") + " or " + words[last]
		return "", refuse("is none of its values", "give "+choice)
	}
}

// refuse is what a parser returns: what the value is not, and what to give.
func refuse(why, hint string) error { return errorWithHint(errors.New(why), hint) }

func parseText(text string) (string, error) { return text, nil }

func parseBool(text string) (bool, error) {
	v, err := strconv.ParseBool(text)
	if err != nil {
		return false, refuse("is neither true nor false", "give true or false")
	}
	return v, nil
}

func parsePort(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		return 0, refuse("is not a port", "give a whole number from 1 to 65535")
	}
	return n, nil
}

// parseStatusAddress gives nothing for off. Names are refused, since a listener takes but one of their addresses.
func parseStatusAddress(text string) (string, error) {
	if text == "off" {
		return "", nil
	}
	host, port, err := net.SplitHostPort(text)
	if err == nil && host != "" {
		_, err = netip.ParseAddr(host)
	}
	if err == nil {
		_, err = parsePort(port)
	}
	if err != nil {
		return "", refuse("is not an address to listen on", "give an IP address and a port, such as 127.0.0.1:2381, or off")
	}
	return text, nil
}

// portOf is the port of a status address, 0 where there is none, and whether it is one of loopback alone.
func portOf(address string) (port int, loopback bool) {
	at, err := netip.ParseAddrPort(address)
	if err != nil { // :2381, on every address
		_, text, _ := net.SplitHostPort(address)
		port, _ = strconv.Atoi(text)
		return port, false
	}
	return int(at.Port()), at.Addr().IsLoopback()
}

func parseCount(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, refuse("is not a count", "give a whole number above zero")
	}
	return n, nil
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, refuse("is not a positive duration", "give a number above zero and its unit, such as 250ms, 40s or 2m")
	}
	return d, nil
}

// parseWait reads how long something is waited for; zero is for ever.
func parseWait(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d != 0 && d < time.Minute {
		return 0, refuse("is neither 0s nor a duration of a minute or more", "give 0s for never, or such as 10m or 1h")
	}
	return d, nil
}

// hookPattern is what Auto Scaling permits (API_PutLifecycleHook).
var hookPattern = regexp.MustCompile(`^[A-Za-z0-9\-_/]{0,255}$`)

func parseHook(text string) (string, error) {
	if !hookPattern.MatchString(text) {
		return "", refuse("is no name of a lifecycle hook", "give up to 255 of a-z, A-Z, 0-9, hyphen, underscore and slash")
	}
	return text, nil
}

// parseVersion reads a minor, which means whichever patch of it is installed, or a very version, or nothing.
func parseVersion(text string) (minor states.MinorVersion, exact states.Version, err error) {
	if text == "" {
		return minor, exact, nil
	}
	if _, err = parseMinor(text); err == nil {
		minor, exact, err = states.ParseWanted(text)
	}
	return minor, exact, err
}

// parseMinor drops the patch.
func parseMinor(text string) (states.MinorVersion, error) {
	v, err := states.ParseVersion(text)
	if err != nil || !v.MinorOf().Known() {
		return states.MinorVersion{}, refuse("is not a version", "give MAJOR.MINOR, such as 3.7")
	}
	return v.MinorOf(), nil
}

// parsePath makes a path absolute, because etcd need not run in the daemon's working directory.
func parsePath(text string) (string, error) {
	if text == "" {
		return "", refuse("is not a path", "give a path")
	}
	return filepath.Abs(text)
}

var (
	labelPattern  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	zonePattern   = regexp.MustCompile(`^(/hostedzone/[A-Z0-9]{1,32}|[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?)$`)
	bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

// parseClusterName also serves for the name that is derived from the group. Upper case is refused because Route53 gives
// names back in lower case.
func parseClusterName(text string) (string, error) {
	if !labelPattern.MatchString(text) {
		return "", refuse("is not a DNS label", "give up to 63 of a-z, 0-9 and inner hyphens, such as releaseetcd")
	}
	return text, nil
}

func parseZone(text string) (string, error) {
	if !zonePattern.MatchString(text) || len(text) > 255 {
		return "", refuse("is neither the name nor the ID of a hosted zone", "give one such as elephant.example.org or Z3M3LMPEXAMPLE")
	}
	return text, nil
}

func parseBucket(text string) (string, error) {
	if !bucketPattern.MatchString(text) {
		return "", refuse("is not the name of a bucket", "give the name alone, such as my-etcd-claims, without s3://")
	}
	return text, nil
}

// daemonsOwn are the arguments of etcd that the daemon's decisions rest on. wal-dir is among them because data is set aside
// whole, config-file because with it etcd ignores every argument.
var daemonsOwn = []string{
	"name", "data-dir", "wal-dir", "config-file", "snapshot-count", "force-new-cluster", "strict-reconfig-check",
	"listen-client-urls", "listen-peer-urls", "advertise-client-urls", "initial-advertise-peer-urls",
	"initial-cluster", "initial-cluster-state", "initial-cluster-token",
	"cert-file", "key-file", "trusted-ca-file", "ca-file", "client-cert-auth", "auto-tls",
	"peer-cert-file", "peer-key-file", "peer-trusted-ca-file", "peer-ca-file", "peer-client-cert-auth", "peer-auto-tls",
	"discovery", "discovery-srv", "discovery-endpoints", "discovery-token", "proxy",
}

func parseEtcdArg(text string) (string, error) {
	name, _, _ := strings.Cut(strings.TrimLeft(text, "-"), "=")
	switch {
	case !strings.HasPrefix(text, "-") || name == "":
		return "", refuse("is not an argument of etcd", "give it in one piece, such as --quota-backend-bytes=8589934592")
	case slices.Contains(daemonsOwn, name):
		return "", refuse("is an argument that the daemon itself decides", "see etcd-appliance run --help-all for what can be set")
	}
	return text, nil
}
