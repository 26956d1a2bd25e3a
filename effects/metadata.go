package effects

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func (e *Effects) askSelf() question {
	return func(ctx context.Context) (func(), error) {
		self, _, err := e.Metadata.Identity(ctx)
		if err != nil {
			return nil, fmt.Errorf("ask who this instance is: %w", err)
		}
		return func() { e.facts.Self = self }, nil
	}
}

// askEnding asks whether the instance is being ended. "Terminated" as target state announces it, and is confirmed once by Auto
// Scaling before anything is done about it; a spot interruption that terminates needs no confirmation, and has two minutes.
func (e *Effects) askEnding() question {
	id, known := e.facts.Self.ID, e.facts.Ending.Terminating == states.Yes
	return func(ctx context.Context) (func(), error) {
		target, err := e.Metadata.TargetLifecycleState(ctx)
		if err != nil {
			return nil, fmt.Errorf("ask for the target lifecycle state: %w", err)
		}
		spot, err := e.Metadata.SpotAction(ctx)
		if err != nil {
			return nil, fmt.Errorf("ask for a spot interruption: %w", err)
		}
		announced := target == "Terminated"
		terminating, reason := spot == "terminate", "spot interruption notice"
		if announced && !terminating && !known {
			terminating, err = e.confirmTermination(ctx, id)
			reason = "Auto Scaling is terminating the instance"
		}
		return func() {
			e.facts.Ending.Announced = states.Is(announced)
			if terminating && e.facts.Ending.Terminating != states.Yes {
				e.facts.Ending.Terminating, e.facts.Ending.Reason = states.Yes, reason
			}
		}, err
	}
}

func (e *Effects) confirmTermination(ctx context.Context, id string) (bool, error) {
	out, err := e.AutoScaling.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return false, fmt.Errorf("confirm the termination: %w", err)
	}
	for _, in := range out.AutoScalingInstances {
		if deref(in.InstanceId) == id && strings.HasPrefix(deref(in.LifecycleState), "Terminat") {
			return true, nil
		}
	}
	return false, nil
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
