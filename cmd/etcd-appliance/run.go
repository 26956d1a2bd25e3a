package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/agent"
	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/status"
	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/awsclient"
	"github.com/etcd-appliance/etcd-appliance/effects/datadir"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdproc"
	"github.com/etcd-appliance/etcd-appliance/effects/peerport"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// runDaemon is the daemon from its start to its end: nil when it was told to stop and etcd has stopped.
func runDaemon(ctx context.Context, c Config, load func() (Config, error), log zerolog.Logger) error {
	runtime.GOMAXPROCS(1) // it waits all day beside a server that needs the cores; waking a second thread costs more than it helps
	if !c.DryRun {
		ctx = context.WithoutCancel(ctx) // a signal is a fact to decide from, not the end of everything at once
	}
	inbox := make(chan func(), 64)
	dir, err := datadir.New(c.DataDir)
	if err != nil {
		return err
	}
	if !c.DryRun { // which runs beside a daemon, and changes nothing
		unlock, err := dir.Lock()
		if err != nil {
			return err
		}
		defer func() { _ = unlock() }()
	}
	if err := dir.UseTLS(c.TLS.Peers.Cert != ""); err != nil {
		return errorWithHint(err, "give the certificates as they were given when it was made; docs/security.md tells how a cluster gets TLS")
	}
	certificates, err := openCertificates(&c.TLS)
	if err != nil {
		return err
	}
	board := status.NewBoard(version, rules(&c))
	process, err := superviseEtcd(c, dir, log, func() { inbox <- func() {} })
	if err != nil {
		return err
	}
	defer func() { _ = process.Close() }() // etcd itself goes on
	options, err := outside(c, board, log)
	if err != nil {
		return err
	}
	clientTLS, err := c.TLS.client()
	if err != nil {
		return err
	}
	etcd, closeEtcd := newEtcd(options.Servers, clientTLS)
	defer closeEtcd()
	options.Process, options.Disk, options.Etcd = process, dir, etcd
	options.Spawn = spawner(ctx, inbox)
	log.Info().Str("version", version).Str("cluster", c.ClusterName).Str("wanted", wantedVersion(&c)).
		Strs("servers", minors(options.Servers)).Bool("dry_run", c.DryRun).Msg("etcd-appliance starts")
	world := effects.New(options)
	board.Busy = world.Busy
	r := &reloader{load: load, world: world, log: log, dir: c.EtcdDir}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go r.watch(watching, c, inbox)
	go certificates.watch(watching, board, log)
	if c.StatusAddress != "" && !c.DryRun { // a dry run stands beside the daemon whose status it is
		go board.Serve(watching, c.StatusAddress, log.With().Str("component", "status").Logger())
	}
	if err := decide(ctx, c, world, board, inbox, r.read, log); err != nil {
		return err
	}
	log.Info().Msg("etcd-appliance ends")
	return nil
}

// rules are what the decisions depend on beside the facts.
func rules(c *Config) states.Config {
	return states.Config{ClientPort: c.ClientPort, PeerPort: c.PeerPort, OnTotalLoss: c.OnTotalLoss, ReplaceUnhealthyAfter: c.ReplaceUnhealthyAfter,
		ClientTLS: c.TLS.Clients.Cert != "", PeerTLS: c.TLS.Peers.Cert != "", Public: c.Address == publicAddress}
}

// decide takes turns until the daemon has nothing left to do. A dry run carries nothing out, so that a signal ends it at once.
func decide(ctx context.Context, c Config, world *effects.Effects, board *status.Board, inbox chan func(), reload func() (deliver func()), log zerolog.Logger) error {
	var executor agent.Executor
	if !c.DryRun {
		executor = world
		signals := make(chan os.Signal, 4)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		defer signal.Stop(signals)
		go func() {
			for s := range signals {
				if s == syscall.SIGHUP {
					inbox <- reload()
					continue
				}
				inbox <- func() { world.RequestShutdown("the daemon was asked to stop (" + s.String() + ")") }
			}
		}()
	}
	a, err := agent.New(rules(&c), world, executor, agent.NewJournal(log, c.DryRun, board.Decided))
	if err != nil {
		return err
	}
	a.Turned = board.Turned
	err = a.Run(ctx, inbox)
	if c.DryRun && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func superviseEtcd(c Config, dir *datadir.Dir, log zerolog.Logger, wake func()) (*etcdproc.Supervisor, error) {
	return etcdproc.New(etcdproc.Options{
		ServerDir: c.EtcdDir, DataDir: dir.EtcdDir(), StateDir: c.DataDir, ClientPort: c.ClientPort, PeerPort: c.PeerPort,
		SnapshotCount: c.SnapshotCount, ExtraArgs: c.EtcdArgs, PassEnv: c.PassEtcdEnv, Grace: c.StopGrace,
		Anywhere: c.Address == publicAddress, Clients: c.TLS.Clients, ClientCertAuth: c.TLS.ClientCertAuth, Peers: c.TLS.Peers,
		Log: log.With().Str("component", "etcd").Logger(), Wake: wake, Now: time.Now,
	})
}

// outside makes the clients of everything that is not on this instance. None of them is called yet: a member with data must
// restart whether AWS answers or not.
func outside(c Config, board *status.Board, log zerolog.Logger) (effects.Options, error) {
	servers, err := c.Servers()
	if err != nil {
		return effects.Options{}, err
	}
	peerTLS, err := c.TLS.peer()
	if err != nil {
		return effects.Options{}, err
	}
	clients := &awsclient.Clients{Called: board.Called}
	o := effects.Options{
		IMDS: awsclient.NewIMDS(), EC2: clients, AutoScaling: clients, Peers: peerport.New(peerport.Config{Port: c.PeerPort, TLS: peerTLS}),
		Now: time.Now, Within: context.WithTimeout, Parallel: parallel, Log: log,
		Group: c.Group, ClusterName: c.ClusterName, Named: clusterNameOf, HostedZone: c.HostedZone, Bucket: c.Bucket,
		ClientPort: c.ClientPort, PeerPort: c.PeerPort, ClientTLS: c.TLS.Clients.Cert != "", PeerTLS: peerTLS != nil, Wanted: c.EtcdVersion, Exact: c.EtcdExact, Servers: servers, TagEvery: c.TagInterval,
		LaunchingHook: c.LaunchingHook, TerminatingHook: c.TerminatingHook,
		Regions: regionsOf(&c, board.Called), Public: c.Address == publicAddress, SecurityGroup: c.PeerSecurityGroup,
	}
	if c.HostedZone != "" {
		o.Route53 = clients
	}
	if c.Bucket != "" {
		o.S3 = clients
	}
	return o, nil
}

// clusterNameOf takes the group's name where no name is configured.
func clusterNameOf(group string) (string, error) {
	name, err := parseClusterName(group)
	if err != nil {
		return "", fmt.Errorf("the auto-scaling group's name cannot be the cluster's: %w: set --cluster-name", err)
	}
	return name, nil
}

// spawner starts goroutines whose answers come back through the inbox.
func spawner(ctx context.Context, inbox chan<- func()) effects.Spawn {
	return func(timeout time.Duration, work func(context.Context) func()) {
		go func() {
			bounded, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			deliver := work(bounded)
			select {
			case inbox <- deliver:
			case <-ctx.Done():
			}
		}()
	}
}

func parallel(n int, f func(int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func minors(list []states.MinorVersion) []string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = m.String()
	}
	return names
}
