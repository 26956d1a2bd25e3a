package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/status"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// watchStatusEvery is how often --watch looks.
const watchStatusEvery = 2 * time.Second

// newStatusCommand shows a cluster from one of its instances.
func newStatusCommand() *cobra.Command {
	var watch, asJSON, live bool
	var daemon daemonConfig
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show the cluster, as the daemon of this instance sees it",
		Long: `Ask the daemon of this instance what it knows and does: the members, the group, the
upgrade lock, DNS, and its last decisions with their reasons. The daemons of the other
instances are asked too, where they answer (by default each listens on loopback only),
and the members' servers of which no daemon knows how they are. It only reads.

The exit code is 1 when the cluster is not as it should be, or the daemon does not answer.`,
		Example: "  etcd-appliance status --watch\n  etcd-appliance status --json --status-address 10.0.0.11:2381",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := daemon.read(cmd.Flags())
			if err != nil {
				return usageError{err}
			}
			address, err := statusAddress(&c)
			if err != nil {
				return err
			}
			if live {
				return askAlive(cmd.Context(), address)
			}
			tls, err := c.TLS.client()
			if err != nil {
				return usageError{err}
			}
			etcd, closeEtcd := newEtcd([]states.MinorVersion{{Major: 2, Minor: 3}}, tls) // it may be any
			defer closeEtcd()
			s := &status.Surveyor{
				Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, // no proxy: instances are asked themselves
				Ask:    etcd.Status, Limit: 2 * time.Second,
			}
			if watch {
				return watchStatus(cmd.Context(), s, address, cmd.OutOrStdout(), asJSON)
			}
			return showStatus(cmd.Context(), s, address, cmd.OutOrStdout(), asJSON)
		},
	}
	settings := configFlags(&Config{})
	for name, usage := range map[string]string{
		"config": "the daemon's configuration file", "status-address": "where the daemon serves its status (default: as it is configured)",
	} {
		f := settings.Lookup(name)
		f.Usage = usage
		cmd.Flags().AddFlag(f)
	}
	daemon.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&watch, "watch", false, "look again and again, until Ctrl-C")
	cmd.Flags().BoolVar(&live, "live", false, "only tell, by the exit code, whether the daemon lives: for the health check of a container")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object a look")
	cmd.MarkFlagsMutuallyExclusive("live", "watch")
	cmd.MarkFlagsMutuallyExclusive("live", "json")
	return cmd
}

// statusAddress is where a client finds what the daemon serves: one that listens on every address is asked on loopback.
func statusAddress(c *Config) (string, error) {
	if c.StatusAddress == "" {
		return "", usageError{errorWithHint(fmt.Errorf("%s: the daemon is told not to serve its status", c.source("status-address")),
			"give the daemon an address, such as 127.0.0.1:2381, and start it again")}
	}
	host, port, err := net.SplitHostPort(c.StatusAddress)
	if err != nil {
		return "", err
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// askAlive asks for /healthz, which is of the daemon alone: a container with a cluster that is not healthy must not be ended for that.
func askAlive(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the daemon at %s does not take its turns: %s", address, response.Status)
	}
	return nil
}

var errNotHealthy = errors.New("the cluster is not healthy")

func showStatus(ctx context.Context, s *status.Surveyor, address string, out io.Writer, asJSON bool) error {
	v, err := s.Survey(ctx, address)
	if err != nil {
		return errorWithHint(fmt.Errorf("no daemon tells its status at %s: %w", address, err),
			"is it running on this instance (systemctl status etcd-appliance), and does its log say \"serves its status\"? Name another address with --status-address")
	}
	if err := printStatus(out, v, asJSON); err != nil {
		return err
	}
	if !v.Healthy {
		return errNotHealthy
	}
	return nil
}

func printStatus(out io.Writer, v *status.Survey, asJSON bool) error {
	if !asJSON {
		_, err := io.WriteString(out, v.Screen(time.Now()))
		return err
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(out, "%s\n", text)
	}
	return err
}

// watchStatus ends well with Ctrl-C, whatever it saw. A daemon that does not answer may come back.
func watchStatus(ctx context.Context, s *status.Surveyor, address string, out io.Writer, asJSON bool) error {
	clear := ""
	if file, ok := out.(*os.File); ok && !asJSON && term.IsTerminal(int(file.Fd())) {
		clear = "\x1b[H\x1b[2J"
	}
	ticks := time.NewTicker(watchStatusEvery)
	defer ticks.Stop()
	for {
		v, err := s.Survey(ctx, address)
		if ctx.Err() != nil {
			return nil
		}
		fmt.Fprint(out, clear)
		switch {
		case err != nil:
			fmt.Fprintf(out, "no daemon tells its status at %s: %v\n", address, err)
		default:
			if err := printStatus(out, v, asJSON); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}
