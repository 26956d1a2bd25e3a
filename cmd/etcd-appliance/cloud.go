package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// newCloudCommand runs the local cloud alone.
func newCloudCommand() *cobra.Command {
	var c cloudFlags
	var group, zone string
	var noInstances bool
	cmd := &cobra.Command{
		Use:   "cloud",
		Short: "run the demo's AWS alone, to play with",
		Long: `Serve EC2, Auto Scaling, Route53, S3 and the instance metadata on loopback
addresses, with a hosted zone, and an auto-scaling group in which every instance
is a process of this daemon with real etcd beside it. Ctrl-C ends all of it.`,
		Example: "  etcd-appliance cloud --size 5\n  etcd-appliance cloud --no-instances",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if noInstances {
				c.size = 0
			}
			if c.size < 0 || c.size > 9 {
				return usageError{errorWithHint(fmt.Errorf("flag --size: %d is no size for a cluster", c.size), "give 0 to 9")}
			}
			ctx, release := holdSignals(cmd.Context())
			defer release()
			options, err := c.rigOptions(cmd)
			if err != nil {
				return err
			}
			options.Group, options.Zone = group, zone
			return runCloud(ctx, options, c.size, cmd.OutOrStdout())
		},
	}
	c.add(cmd.Flags())
	addSetting(cmd.Flags(), "daemon", &c.daemon, "", optional(parsePath)).Usage = "program to run on the instances, such as a script that runs a container (default: this binary)"
	cmd.Flags().IntVar(&c.size, "size", 3, "how many instances the group has; 0 for an empty AWS")
	cmd.Flags().BoolVar(&noInstances, "no-instances", false, "the same as --size 0")
	addSetting(cmd.Flags(), "group", &group, "releaseetcd", parseClusterName).Usage = "name of the auto-scaling group, and of the cluster"
	addSetting(cmd.Flags(), "hosted-zone", &zone, "elephant.example.org", parseZone).Usage = "name of the private hosted zone"
	return cmd
}

// runCloud returns when ctx ends.
func runCloud(ctx context.Context, o rig.Options, size int, out io.Writer) (err error) {
	r, err := rig.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if size > 0 {
		if err := r.Launch(ctx, size); err != nil {
			return err
		}
		fmt.Fprintf(out, "%d instances are starting.\n", size)
		if _, err := r.WaitDNS(ctx, size); err != nil && ctx.Err() == nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	fmt.Fprintln(out, "The local cloud runs until Ctrl-C. To play with it:")
	printPlay(out, r)
	<-ctx.Done()
	return nil
}

// cloudFlags are those that the demo and the cloud share.
type cloudFlags struct {
	etcdDir, dir string
	daemon       string // runs on the instances; empty: this binary
	etcdVersion  states.MinorVersion
	size         int
}

func (c *cloudFlags) add(flags *pflag.FlagSet) {
	flags.SortFlags = false
	text := func(s string) (string, error) { return filepath.Abs(s) }
	addSetting(flags, "etcd-dir", &c.etcdDir, "", optional(text)).Usage = "holds X.Y/etcd (default: .cache/etcd of this checkout, else /opt/etcd)"
	addSetting(flags, "etcd-version", &c.etcdVersion, "", optional(parseMinor)).Usage = "minor to run (default: the newest there)"
	addSetting(flags, "dir", &c.dir, "", optional(text)).Usage = "keeps disks and logs (default: a temporary directory)"
}

// rigOptions finds the servers, and this binary to run on the instances.
func (c *cloudFlags) rigOptions(cmd *cobra.Command) (rig.Options, error) {
	if c.daemon == "" {
		self, err := os.Executable()
		if err != nil {
			return rig.Options{}, err
		}
		c.daemon = self
	}
	o := rig.Options{Daemon: c.daemon, Dir: c.dir, EtcdDir: c.etcdDir, Warn: func(err error) { fmt.Fprintln(cmd.ErrOrStderr(), "etcd-appliance: local cloud:", err) }}
	if c.size == 0 {
		return o, nil // no instance needs a server
	}
	config := Config{EtcdDir: c.etcdDir, EtcdVersion: c.etcdVersion, ClientPort: 2379, PeerPort: 2380, sources: map[string]string{}}
	for _, flag := range []string{"etcd-dir", "etcd-version"} {
		if cmd.Flags().Changed(flag) {
			config.sources[flag] = "flag --" + flag
		}
	}
	if config.EtcdDir == "" {
		config.EtcdDir = findEtcdDir()
	}
	if installed, err := config.Servers(); err == nil && len(installed) > 0 && !config.EtcdVersion.Known() {
		config.EtcdVersion = installed[len(installed)-1]
	}
	if err := config.validate(); err != nil {
		return o, usageError{errorWithHint(err, hintOf(err)+"; make etcd builds them in a checkout")}
	}
	c.etcdVersion = config.EtcdVersion
	o.EtcdDir, o.EtcdVersion = config.EtcdDir, config.EtcdVersion.String()
	return o, nil
}

// before is the minor before the one that was chosen, if its server is there.
func (c *cloudFlags) before(dir string) (string, bool) {
	installed, err := (&Config{EtcdDir: dir}).Servers()
	if err != nil {
		return "", false
	}
	for _, minor := range installed {
		if minor.Next() == c.etcdVersion {
			return minor.String(), true
		}
	}
	return "", false
}

// findEtcdDir looks for a checkout's servers in the working directory and above it.
func findEtcdDir() string {
	const installed = "/opt/etcd"
	dir, err := os.Getwd()
	if err != nil {
		return installed
	}
	for {
		if found, err := os.Stat(filepath.Join(dir, ".cache", "etcd")); err == nil && found.IsDir() {
			return filepath.Join(dir, ".cache", "etcd")
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return installed
		}
		dir = parent
	}
}

// holdSignals gives a context that also ends when the terminal is closed. Until release is called no signal ends the program,
// however often it comes: the processes of the instances have to be ended first. Writing to a pipe that nobody reads any more
// is an error then, and no signal.
func holdSignals(ctx context.Context) (held context.Context, release func()) {
	held, end := context.WithCancelCause(ctx)
	ends, pipes := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(ends, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(pipes, syscall.SIGPIPE)
	go func() {
		select {
		case s := <-ends:
			end(fmt.Errorf("ended by a signal (%s)", s))
		case <-held.Done():
		}
	}()
	return held, func() {
		end(nil)
		signal.Stop(ends)
		signal.Stop(pipes)
	}
}
