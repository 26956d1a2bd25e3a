// Package rig runs whole clusters on loopback, for whoever wants to see, test or measure the daemon: a local cloud, a hosted
// zone and an auto-scaling group in it, and on every instance of the group a daemon process with real etcd beside it.
//
// The rig does to them what happens to instances (they are launched, scaled, terminated, their processes killed), through the
// same APIs that an operator has. What came of it the [Observer] tells, and it asks public faces only: Auto Scaling and EC2,
// the peer and client ports of etcd, and DNS. So it holds for any daemon that claims to do the job.
//
//	r, err := rig.Start(ctx, rig.Options{Daemon: "bin/etcd-appliance", EtcdDir: ".cache/etcd"})
//	defer r.Close()
//	err = r.Launch(ctx, 3)
//	view, err := r.WaitHealthy(ctx, 3)
package rig

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud"
)

// Options configure a Rig. Daemon and EtcdDir are required.
type Options struct {
	Daemon      string   // the daemon's binary, called as `run --flags`
	EtcdDir     string   // holds <minor>/etcd
	EtcdVersion string   // minor that the instances want; may be empty when EtcdDir holds only one
	V2          bool     // the servers may be of 2.3: they are asked, and written to, over v2
	Args        []string // more flags for every daemon
	Hooks       bool     // the group has the lifecycle hooks that a daemon completes
	// Prepare puts files on the disk of an instance, before each start of its daemon, and gives more flags for it.
	Prepare func(i localcloud.Instance, disk string) ([]string, error)
	TLS     *tls.Config   // for the client ports of the servers, when Args or Prepare make them serve TLS
	Group   string        // default releaseetcd
	Abroad  string        // another region that the cluster spans, with a group of its own; by default none
	Zone    string        // hosted zone, default elephant.example.org
	Bucket  string        // S3 bucket that the claim is in; by default it is a record of the zone
	Dir     string        // disks and logs; default a temporary directory, which Close removes
	Restart time.Duration // pause before a daemon that ended is started again, default 1 s
	Look    time.Duration // pause between two looks at the cluster, default 100 ms
	// Cloud sets the delays of the cloud, all zero by default: instances run at once and end at once.
	Cloud awsfake.Options
	// Warn is told what goes wrong in the cloud outside any call; default silence.
	Warn func(error)
}

// StatusPort is where each daemon serves its status, at the address of its instance.
const StatusPort = "2381"

// Rig is a local cloud with a hosted zone, and with a group once it is launched.
type Rig struct {
	*observer.Observer
	Cloud    *localcloud.Server
	launcher *localcloud.ProcessLauncher
	options  Options
	tempDir  bool
	keep     bool
	stop     context.CancelFunc
	watching chan struct{} // closed when the observer has stopped
	logs     logs
	security map[string]string // IDs of the security groups, by region
}

// Start brings up the cloud and the hosted zone, and begins to look.
func Start(ctx context.Context, o Options) (*Rig, error) {
	o.setDefaults()
	r := &Rig{options: o, watching: make(chan struct{})}
	err := r.makeDir()
	if err == nil && o.EtcdVersion != "" {
		err = r.Configure(o.EtcdVersion)
	}
	if err != nil {
		return nil, err
	}
	if r.launcher, err = r.newLauncher(); err == nil {
		r.Cloud, err = r.newCloud()
	}
	if err != nil {
		r.removeDir()
		return nil, err
	}
	r.Observer = observer.New(observer.Target{
		Groups: r.groups(), DNS: r.Cloud.DNS(), Cluster: o.Group, Zone: o.Zone, Bucket: o.Bucket, S3: r.s3(),
		V2: o.V2, TLS: o.TLS,
	})
	watch, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() {
		defer close(r.watching)
		r.Watch(watch, o.Look)
	}()
	if err := errors.Join(r.createZone(ctx), r.createBucket(ctx), r.createSecurityGroups(ctx)); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (o *Options) setDefaults() {
	for field, otherwise := range map[*string]string{&o.Group: "releaseetcd", &o.Zone: "elephant.example.org"} {
		if *field == "" {
			*field = otherwise
		}
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	if o.Restart == 0 {
		o.Restart = time.Second
	}
	if o.Look == 0 {
		o.Look = 100 * time.Millisecond
	}
}

func (r *Rig) makeDir() (err error) {
	if r.options.Dir == "" {
		r.tempDir = true
		r.options.Dir, err = os.MkdirTemp("", "etcd-appliance-")
		return err
	}
	if r.options.Dir, err = filepath.Abs(r.options.Dir); err != nil {
		return err
	}
	return os.MkdirAll(r.options.Dir, 0o700)
}

func (r *Rig) removeDir() {
	if r.tempDir && !r.keep {
		os.RemoveAll(r.options.Dir)
	}
}

// newLauncher runs the daemon on every instance, in an environment that has nothing of ours but what a process needs: what
// configures a daemon elsewhere must not configure these.
func (r *Rig) newLauncher() (*localcloud.ProcessLauncher, error) {
	for _, path := range []*string{&r.options.Daemon, &r.options.EtcdDir} { // daemons run in other directories
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	l := &localcloud.ProcessLauncher{Dir: r.options.Dir, Restart: r.options.Restart}
	l.Command = func(i localcloud.Instance) *exec.Cmd {
		args := []string{"run", "--hosted-zone", r.options.Zone, "--etcd-dir", r.options.EtcdDir, "--data-dir", r.dataDir(i.ID), "--log-format", "json",
			"--status-address", net.JoinHostPort(i.PrivateIP, StatusPort)}
		if r.options.EtcdVersion != "" {
			file, err := r.configFile(i.ID)
			if err != nil {
				r.options.Warn(err) // the daemon says so too: the file is not there
			}
			args = append(args, "--config", file)
		}
		if r.options.Bucket != "" {
			args = append(args, "--bucket", r.options.Bucket)
		}
		args = append(args, r.options.Args...)
		args = append(args, r.abroadArgs(i)...)
		if r.options.Prepare != nil {
			more, err := r.options.Prepare(i, r.launcher.Disk(i.ID))
			if err != nil {
				r.options.Warn(err)
			}
			args = append(args, more...)
		}
		cmd := exec.Command(r.options.Daemon, args...)
		cmd.Env = plainEnvironment()
		return cmd
	}
	return l, nil
}

// dataDir is the directory of an instance's daemon.
func (r *Rig) dataDir(instance string) string {
	return filepath.Join(r.launcher.Disk(instance), "data")
}

func plainEnvironment() []string {
	wanted := []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR", "GODEBUG", "GOTRACEBACK"}
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !slices.Contains(wanted, name)
	})
}

// clouds counts those of this process. Processes are told apart by the ID of their instance, so no two clouds may give the same.
var clouds atomic.Uint64

// newCloud puts the name server on port 53, where resolvers look for it, if that is permitted.
func (r *Rig) newCloud() (*localcloud.Server, error) {
	o := localcloud.Options{Cloud: r.options.Cloud, Launcher: r.launcher, Warn: r.options.Warn}
	o.Cloud.Seed += clouds.Add(1) - 1
	block := fmt.Sprintf("127.%d.%d", 16+os.Getpid()/250%200, os.Getpid()%250)
	o.Block, o.DNS = block, block+".2:53"
	if cloud, err := localcloud.New(o); err == nil {
		return cloud, nil
	}
	o.Block, o.DNS = "", ""
	return localcloud.New(o)
}

// AWS configures clients of the SDK for this cloud, which knows them by the caller's name.
func (r *Rig) AWS(caller string) aws.Config { return r.awsIn(home, caller) }

func (r *Rig) awsIn(region, caller string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(r.Cloud.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider(caller, "loopback-only", ""),
	}
}

func (r *Rig) createZone(ctx context.Context) error {
	_, err := route53.NewFromConfig(r.AWS("operator")).CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
		Name: &r.options.Zone, CallerReference: aws.String("rig"),
		HostedZoneConfig: &route53types.HostedZoneConfig{PrivateZone: true},
		VPC:              &route53types.VPC{VPCId: aws.String("vpc-00000000000000001"), VPCRegion: route53types.VPCRegionEuCentral1},
	})
	if err != nil {
		return fmt.Errorf("create hosted zone %s: %w", r.options.Zone, err)
	}
	return nil
}

// s3 is a client that names buckets in the path, since this cloud has no hosts for them.
func (r *Rig) s3() *s3.Client {
	return s3.NewFromConfig(r.AWS("operator"), func(o *s3.Options) { o.UsePathStyle = true })
}

func (r *Rig) createBucket(ctx context.Context) error {
	if r.options.Bucket == "" {
		return nil
	}
	_, err := r.s3().CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: &r.options.Bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintEuCentral1},
	})
	if err != nil {
		return fmt.Errorf("create bucket %s: %w", r.options.Bucket, err)
	}
	return nil
}

// Options are those that the rig was started with, defaults filled in.
func (r *Rig) Options() Options { return r.options }

// Name is the name of the cluster in DNS.
func (r *Rig) Name() string { return r.options.Group + "." + r.options.Zone }

// Dir is where the disks of the instances and the logs of their daemons are.
func (r *Rig) Dir() string { return r.options.Dir }

// KeepDir makes Close leave the temporary directory, for whoever wants to look into the logs.
func (r *Rig) KeepDir() { r.keep = true }

// Close ends every process of every instance, and returns when none is left.
func (r *Rig) Close() error {
	r.stop()
	<-r.watching
	r.Observer.Close()
	err := r.Cloud.Close()
	r.removeDir()
	return err
}
