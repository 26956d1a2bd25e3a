package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

func (r *Rig) autoscaling() *autoscaling.Client { return autoscaling.NewFromConfig(r.AWS("operator")) }

// The hooks that a daemon completes, as it is configured by default.
const (
	LaunchingHook   = "etcd-appliance-launching"
	TerminatingHook = "etcd-appliance-terminating"
)

// Launch creates the group with n instances.
func (r *Rig) Launch(ctx context.Context, n int) error {
	in := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &r.options.Group, MinSize: aws.Int32(0), MaxSize: aws.Int32(100), DesiredCapacity: aws.Int32(int32(n)),
	}
	if r.options.Abroad != "" {
		in.Tags = stack
	}
	if r.options.Hooks {
		in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{
			hook(LaunchingHook, awsfake.Launching, "ABANDON"), hook(TerminatingHook, awsfake.Terminating, "CONTINUE"),
		}
	}
	_, err := r.autoscaling().CreateAutoScalingGroup(ctx, in)
	return err
}

// hook has the shortest timeout that AWS permits: a daemon that does not ask for more time shows.
func hook(name, transition, result string) types.LifecycleHookSpecification {
	return types.LifecycleHookSpecification{
		LifecycleHookName: &name, LifecycleTransition: &transition, DefaultResult: &result, HeartbeatTimeout: aws.Int32(30),
	}
}

// Scale sets the desired capacity of the group.
func (r *Rig) Scale(ctx context.Context, n int) error {
	_, err := r.autoscaling().SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: &r.options.Group, DesiredCapacity: aws.Int32(int32(n)),
	})
	return err
}

// Terminate ends an instance through Auto Scaling, which replaces it. Its processes are killed with no chance to object, and
// its disk is lost.
func (r *Rig) Terminate(ctx context.Context, instance string) error {
	region := home
	r.Cloud.Do(func(c *awsfake.Cloud) {
		if i, ok := c.Instance(instance); ok {
			region = i.Region()
		}
	})
	_, err := autoscaling.NewFromConfig(r.awsIn(region, "operator")).TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: &instance, ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
	return err
}

// Refresh has the group replace all of its instances. With high, in percent, it launches before it terminates; zero leaves it out.
func (r *Rig) Refresh(ctx context.Context, low, high int32) error {
	preferences := &types.RefreshPreferences{MinHealthyPercentage: &low}
	if high > 0 {
		preferences.MaxHealthyPercentage = &high
	}
	_, err := r.autoscaling().StartInstanceRefresh(ctx, &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: &r.options.Group, Preferences: preferences,
	})
	return err
}

// Refreshed tells whether the last refresh has ended as it was to.
func (r *Rig) Refreshed(ctx context.Context) error {
	out, err := r.autoscaling().DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &r.options.Group})
	switch {
	case err != nil:
		return err
	case len(out.InstanceRefreshes) == 0:
		return errors.New("the group was never refreshed")
	case out.InstanceRefreshes[0].Status != types.InstanceRefreshStatusSuccessful:
		return fmt.Errorf("the instance refresh is %s, and %d instances are left", out.InstanceRefreshes[0].Status, aws.ToInt32(out.InstanceRefreshes[0].InstancesToUpdate))
	}
	return nil
}

// Tag puts the version that every instance is to run on the group.
func (r *Rig) Tag(ctx context.Context, version string) error {
	_, err := r.autoscaling().CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []types.Tag{{
		Key: aws.String(effects.VersionTag), Value: &version, ResourceId: &r.options.Group, ResourceType: aws.String("auto-scaling-group"), PropagateAtLaunch: aws.Bool(false),
	}}})
	return err
}

// Configure changes the minor that daemons want that start from now on, as a new launch template does.
func (r *Rig) Configure(minor string) error {
	return writeConfig(r.template(), minor)
}

// configFormat is the configuration of an instance.
const configFormat = "etcd-version: %q\n"

func writeConfig(file, minor string) error {
	next := file + ".new"
	if err := os.WriteFile(next, fmt.Appendf(nil, configFormat, minor), 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}

// template is the configuration that an instance begins with.
func (r *Rig) template() string { return filepath.Join(r.options.Dir, "appliance.yaml") }

// configFile is an instance's own copy, made at its first start.
func (r *Rig) configFile(instance string) (string, error) {
	file := filepath.Join(r.launcher.Disk(instance), "appliance.yaml")
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	text, err := os.ReadFile(r.template())
	if err != nil {
		return file, err
	}
	return file, os.WriteFile(file, text, 0o600)
}

// Edit changes the minor in the configuration file of every instance that runs, and of those to come. The daemons have to notice.
func (r *Rig) Edit(minor string) error {
	if err := r.Configure(minor); err != nil {
		return err
	}
	for _, i := range r.Latest().InService() {
		if err := r.EditOne(i.ID, minor); err != nil {
			return err
		}
	}
	return nil
}

// EditOne changes it in the file of one instance.
func (r *Rig) EditOne(instance, minor string) error {
	file, err := r.configFile(instance)
	if err == nil {
		err = writeConfig(file, minor)
	}
	if err != nil {
		return fmt.Errorf("reconfigure %s: %w", instance, err)
	}
	return nil
}

// Want changes it, and tells the daemons that run.
func (r *Rig) Want(minor string) error {
	if err := r.Edit(minor); err != nil {
		return err
	}
	for _, i := range r.Latest().InService() {
		if err := r.reload(i.ID); err != nil {
			return err
		}
	}
	return nil
}

// WantOne changes it in the file of one instance, and tells its daemon.
func (r *Rig) WantOne(instance, minor string) error {
	if err := r.EditOne(instance, minor); err != nil {
		return err
	}
	return r.reload(instance)
}

// reload has a daemon that runs read its configuration again.
func (r *Rig) reload(instance string) error {
	if pid := r.DaemonPID(instance); pid != 0 {
		if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
			return fmt.Errorf("reconfigure the daemon of %s: %w", instance, err)
		}
	}
	return nil
}

// EtcdPID is the process ID of the etcd of an instance, 0 when none runs.
func (r *Rig) EtcdPID(instance string) int {
	return findProcess(func(args []string) bool {
		return filepath.Base(args[0]) == "etcd" && mentions(args, r.launcher.Disk(instance))
	})
}

// DaemonPID is the process ID of the daemon of an instance, 0 when none runs.
func (r *Rig) DaemonPID(instance string) int {
	return findProcess(func(args []string) bool {
		return len(args) > 1 && args[1] == "run" && slices.Contains(args, r.dataDir(instance))
	})
}

// KillEtcd kills the etcd of an instance (SIGKILL), and returns when it has ended, with the process ID that it had.
func (r *Rig) KillEtcd(ctx context.Context, instance string) (pid int, err error) {
	return end(ctx, syscall.SIGKILL, r.EtcdPID(instance), "etcd of "+instance)
}

// StopEtcd asks the etcd of an instance to stop (SIGTERM), and returns when it has ended.
func (r *Rig) StopEtcd(ctx context.Context, instance string) error {
	_, err := end(ctx, syscall.SIGTERM, r.EtcdPID(instance), "etcd of "+instance)
	return err
}

// KillDaemon does so to the daemon, which its instance's service manager starts again.
func (r *Rig) KillDaemon(ctx context.Context, instance string) (pid int, err error) {
	return end(ctx, syscall.SIGKILL, r.DaemonPID(instance), "daemon of "+instance)
}

func end(ctx context.Context, signal syscall.Signal, pid int, what string) (int, error) {
	if pid == 0 {
		return 0, fmt.Errorf("no process is the %s", what)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		return pid, fmt.Errorf("send %s to the %s: %w", signal, what, err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for commandLine(pid) != nil {
		select {
		case <-ctx.Done():
			return pid, fmt.Errorf("the %s does not end: %w", what, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return pid, nil
}

// findProcess gives the first process whose command line is wanted.
func findProcess(wanted func(args []string) bool) int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if args := commandLine(pid); args != nil && wanted(args) {
			return pid
		}
	}
	return 0
}

// commandLine is nil for a process that has ended, reaped or not.
func commandLine(pid int) []string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

func mentions(args []string, dir string) bool {
	return slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, dir+"/") })
}
