package awsfake

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// EC2Client is EC2 as one caller sees it.
type EC2Client struct {
	c      *Cloud
	caller string
	region string
}

// EC2 returns the EC2 API for a caller, whose name Options.Fault sees.
func (c *Cloud) EC2(caller string) *EC2Client { return &EC2Client{c: c, caller: caller} }

// In is EC2 in one region.
func (e *EC2Client) In(region string) *EC2Client { return &EC2Client{e.c, e.caller, region} }

func (e *EC2Client) call(action string) Call {
	return Call{Caller: e.caller, Service: "ec2", Action: action, Region: e.region}
}

// DescribeInstances lists instances, one reservation each.
func (e *EC2Client) DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, _ ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	return serve(ctx, e.c, e.call("DescribeInstances"), in, describeInstances)
}

// TerminateInstances ends instances; those that have ended stay so.
func (e *EC2Client) TerminateInstances(ctx context.Context, in *ec2.TerminateInstancesInput, _ ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error) {
	return serve(ctx, e.c, e.call("TerminateInstances"), in, func(r *request, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error) {
		changes, err := r.changeState(in.InstanceIds, nil, "", func(i *Instance, now time.Time) {
			r.shutdown(i, now, "Client.UserInitiatedShutdown: User initiated shutdown")
		})
		return &ec2.TerminateInstancesOutput{TerminatingInstances: changes}, err
	})
}

// StopInstances shuts machines down and keeps their addresses, and their disks
// unless those are Options.InstanceStore.
func (e *EC2Client) StopInstances(ctx context.Context, in *ec2.StopInstancesInput, _ ...func(*ec2.Options)) (*ec2.StopInstancesOutput, error) {
	return serve(ctx, e.c, e.call("StopInstances"), in, func(r *request, in *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error) {
		changes, err := r.changeState(in.InstanceIds, []string{Running, Stopping, Stopped}, "stopped", func(i *Instance, now time.Time) {
			if i.State == Running {
				i.State, i.stateAt, i.bootAt, i.passAt, i.downAt = Stopping, now.Add(r.opt.ShutdownDelay), time.Time{}, time.Time{}, now
				r.stop(i)
				if r.opt.InstanceStore {
					i.Disk++
				}
			}
		})
		return &ec2.StopInstancesOutput{StoppingInstances: changes}, err
	})
}

// StartInstances boots stopped machines.
func (e *EC2Client) StartInstances(ctx context.Context, in *ec2.StartInstancesInput, _ ...func(*ec2.Options)) (*ec2.StartInstancesOutput, error) {
	return serve(ctx, e.c, e.call("StartInstances"), in, func(r *request, in *ec2.StartInstancesInput) (*ec2.StartInstancesOutput, error) {
		changes, err := r.changeState(in.InstanceIds, []string{Pending, Running, Stopped}, "started", func(i *Instance, now time.Time) {
			if i.State == Stopped {
				i.State, i.stateAt, i.downAt = Pending, now.Add(r.opt.LaunchDelay), time.Time{}
			}
		})
		return &ec2.StartInstancesOutput{StartingInstances: changes}, err
	})
}

// RebootInstances restarts machines; their state stays running.
func (e *EC2Client) RebootInstances(ctx context.Context, in *ec2.RebootInstancesInput, _ ...func(*ec2.Options)) (*ec2.RebootInstancesOutput, error) {
	return serve(ctx, e.c, e.call("RebootInstances"), in, func(r *request, in *ec2.RebootInstancesInput) (*ec2.RebootInstancesOutput, error) {
		_, err := r.changeState(in.InstanceIds, []string{Running}, "rebooted", func(i *Instance, now time.Time) {
			i.bootAt = now.Add(r.opt.LaunchDelay)
			r.stop(i)
		})
		return &ec2.RebootInstancesOutput{}, err
	})
}

// changeState applies change to all named instances, or to none if one of them
// is unknown or in a state that does not allow it (nil allows all).
func (r *request) changeState(ids, allowed []string, verb string, change func(*Instance, time.Time)) ([]types.InstanceStateChange, error) {
	if err := r.checkIDs(ids, r.state.instances); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if allowed != nil && !slices.Contains(allowed, r.find(id).State) {
			return nil, Error("IncorrectInstanceState", fmt.Sprintf("The instance '%s' is not in a state from which it can be %s.", id, verb))
		}
	}
	var changes []types.InstanceStateChange
	r.touch()
	for _, id := range ids {
		i := r.find(id)
		before := ec2State(i.State)
		change(i, r.opt.Now())
		r.scheduleGroup(i.Group, r.opt.Now())
		changes = append(changes, types.InstanceStateChange{InstanceId: aws.String(id), PreviousState: before, CurrentState: ec2State(i.State)})
	}
	return changes, nil
}

var instanceID = regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`)

// checkIDs refuses malformed and unknown IDs, as EC2 does: one bad ID fails the
// whole request (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
func (r *request) checkIDs(ids []string, known []Instance) error {
	var unknown []string
	for _, id := range ids {
		if !instanceID.MatchString(id) {
			return Error("InvalidInstanceID.Malformed", fmt.Sprintf("Invalid id: %q", id))
		}
		exists := slices.ContainsFunc(known, func(i Instance) bool { return i.ID == id && !i.forgotten })
		if !exists || r.omitted(id) || r.look(id)&Unlisted != 0 {
			unknown = append(unknown, id)
		}
	}
	switch len(unknown) {
	case 0:
		return nil
	case 1:
		return Error("InvalidInstanceID.NotFound", fmt.Sprintf("The instance ID '%s' does not exist", unknown[0]))
	}
	return Error("InvalidInstanceID.NotFound", fmt.Sprintf("The instance IDs '%s' do not exist", strings.Join(unknown, ", ")))
}
