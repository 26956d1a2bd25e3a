package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/preflight"
	"github.com/etcd-appliance/etcd-appliance/effects/awsclient"
	"github.com/etcd-appliance/etcd-appliance/effects/datadir"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdproc"
)

// newPreflightCommand tells what is in the way of an upgrade before anybody wants it.
func newPreflightCommand() *cobra.Command {
	var o operator
	var to string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "preflight --to X.Y",
		Short: "check a living cluster before an upgrade",
		Long: `Look at the members, the group, the installed servers and the daemon's configuration,
and print a line for each thing that an upgrade needs: pass, warn or FAIL, what was
seen, and how to mend it. It only reads. The exit code is 1 when anything fails.

On an instance it finds all of that by itself. Elsewhere name members, and see in the
lines that warn what could not be checked.`,
		Example: "  etcd-appliance preflight --to 3.7\n  etcd-appliance preflight --to 3.7 --endpoints http://10.0.0.11:2379 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			minor, err := parseMinor(to)
			if err != nil {
				return usageError{errorWithHint(fmt.Errorf("flag --to: %q %w", to, err), hintOf(err))}
			}
			c, err := o.config(cmd.Flags())
			seen := preflight.Seen{To: minor, Group: c.Group, EtcdDir: c.EtcdDir, Args: c.EtcdArgs, ConfigErr: err}
			if err != nil {
				seen.ServerErr = err
			} else {
				lookForServers(&c, &seen)
			}
			tls, err := c.TLS.client()
			if err != nil {
				return usageError{err}
			}
			members, err := o.members(&c)
			if err != nil {
				return err
			}
			look(cmd.Context(), members, &c, tls, &seen)
			return report(cmd.OutOrStdout(), preflight.Checks(&seen), asJSON)
		},
	}
	o.addFlags(cmd.Flags(), "etcd-dir", "group")
	cmd.Flags().StringVar(&to, "to", "", "the minor to upgrade to")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	if err := cmd.MarkFlagRequired("to"); err != nil {
		panic(err)
	}
	return cmd
}

func look(ctx context.Context, endpoints []string, c *Config, tls *tls.Config, seen *preflight.Seen) {
	etcd, closeEtcd := newAnyEtcd(tls)
	defer closeEtcd()
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: tls}} // no proxy: members are asked, as the daemon asks them
	sources := preflight.Sources{
		Etcd: lookedAt{etcd}, AutoScaling: &awsclient.Clients{}, Abroad: abroadOf(ctx, c), HTTP: direct, Endpoints: endpoints, DataDir: datadir.Peek(c.DataDir).EtcdDir(),
	}
	sources.Look(ctx, seen)
}

// lookForServers asks what is installed, as the daemon does.
func lookForServers(c *Config, seen *preflight.Seen) {
	var releases etcdproc.Releases
	if seen.Servers, seen.ServerErr = c.Servers(); seen.ServerErr == nil {
		seen.Patches, _ = releases.Of(c.EtcdDir, seen.Servers)
	}
}

// report prints a line for each check, and how to mend what is not in order below it.
func report(w io.Writer, checks []preflight.Check, asJSON bool) error {
	failed := 0
	for _, check := range checks {
		if check.Status == preflight.Fail {
			failed++
		}
	}
	if asJSON {
		text, err := json.MarshalIndent(checks, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n", text)
	} else {
		for _, check := range checks {
			fmt.Fprintln(w, check)
		}
	}
	if failed > 0 {
		return errors.New(plural(failed, "check fails", "checks fail"))
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}
