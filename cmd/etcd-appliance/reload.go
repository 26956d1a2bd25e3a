package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdproc"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// reloader takes over what a living daemon can of a configuration that has changed: the etcd version, and what servers are
// installed. The rest is fixed for its life.
type reloader struct {
	load     func() (Config, error)
	world    *effects.Effects
	log      zerolog.Logger
	dir      string // of the servers
	releases etcdproc.Releases
}

// read reads the configuration again. It must not be called on the deciding goroutine, which is to run what it returns. A
// configuration that cannot be read changes nothing.
func (r *reloader) read() func() {
	install := r.installed()
	c, err := r.load()
	return func() {
		install()
		if err != nil {
			r.log.Error().Err(err).Msg("the new configuration cannot be used; goes on with the old one")
			return
		}
		r.log.Info().Str("wanted", wantedVersion(&c)).Msg("has read its configuration again; of it only the etcd version takes effect without a restart")
		r.world.Want(c.EtcdVersion, c.EtcdExact)
	}
}

// installed asks the servers for their versions: read, without the configuration.
func (r *reloader) installed() func() {
	servers, err := (&Config{EtcdDir: r.dir}).Servers()
	patches, unknown := r.releases.Of(r.dir, servers)
	return func() {
		if err != nil {
			r.log.Error().Err(err).Msg("cannot look for servers; goes on with those of before")
			return
		}
		for _, why := range unknown {
			r.log.Warn().Err(why).Msg("does not know which patch is installed")
		}
		r.log.Info().Strs("servers", minors(servers)).Strs("versions", versions(patches)).Msg("has looked at the servers that are installed")
		r.world.Install(servers, patches)
	}
}

// watchEvery is how often the files are looked at; a change is read when a second look shows no further one, so that nothing is
// read that is still being written.
const watchEvery = 2 * time.Second

// watch has the files of the servers looked at once, off the start of the daemon, which is not to wait for it; and then each time
// that they or the configuration file have changed. Polling a handful of files costs less than it would to depend on inotify,
// which network file systems and overlays do not have.
func (r *reloader) watch(ctx context.Context, c Config, inbox chan<- func()) {
	deliver := func(f func()) {
		select {
		case inbox <- f:
		case <-ctx.Done():
		}
	}
	before := fingerprint(c.ConfigFile, r.dir)
	deliver(r.installed())
	settled := before
	for ticks := time.NewTicker(watchEvery); ; {
		select {
		case <-ctx.Done():
			ticks.Stop()
			return
		case <-ticks.C:
		}
		now := fingerprint(c.ConfigFile, r.dir)
		if now == before && now != settled {
			deliver(r.read())
			settled = now
		}
		before = now
	}
}

// fingerprint changes with the configuration file and with the servers.
func fingerprint(config, dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "*", "etcd"))
	slices.Sort(files)
	var b strings.Builder
	for _, path := range append([]string{config}, files...) {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano(), info.Mode())
		}
	}
	return b.String()
}

// wantedVersion is what is configured: a minor, or a very version.
func wantedVersion(c *Config) string {
	if c.EtcdExact.Known() {
		return c.EtcdExact.String()
	}
	return c.EtcdVersion.String()
}

func versions(list []states.Version) []string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = v.String()
	}
	return names
}
