package effects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func (e *Effects) askSelf() question {
	return func(ctx context.Context) (func(), error) {
		doc, err := e.IMDS.GetInstanceIdentityDocument(ctx, &imds.GetInstanceIdentityDocumentInput{})
		if err != nil {
			return nil, fmt.Errorf("read the instance identity document: %w", err)
		}
		self := states.Self{ID: doc.InstanceID, Address: doc.PrivateIP}
		if e.Public {
			if self.Address, err = e.metadata(ctx, "public-ipv4"); err != nil {
				return nil, err
			}
		}
		if self.ID == "" || self.Address == "" {
			return nil, errors.New("the instance metadata names no instance, or no address of it")
		}
		region := doc.Region
		return func() {
			e.facts.Self, e.identified = self, true
			e.locate(region)
		}, nil
	}
}

// askEnding asks whether the instance is being ended. "Terminated" as target state announces it, and is confirmed once by Auto
// Scaling before anything is done about it; a spot interruption that terminates needs no confirmation, and has two minutes.
func (e *Effects) askEnding() question {
	at, id, known := e.Now(), e.facts.Self.ID, e.facts.Ending.Terminating == states.Yes
	return func(ctx context.Context) (func(), error) {
		target, err := e.metadata(ctx, "autoscaling/target-lifecycle-state")
		if err != nil {
			return nil, fmt.Errorf("ask for the target lifecycle state: %w", err)
		}
		spot, err := e.metadata(ctx, "spot/instance-action") // JSON: {"action":"terminate","time":"..."}
		if err != nil {
			return nil, fmt.Errorf("ask for a spot interruption: %w", err)
		}
		announced := target == "Terminated"
		terminating, reason := strings.Contains(spot, `"terminate"`), "spot interruption notice"
		if announced && !terminating && !known {
			terminating, err = e.confirmTermination(ctx, id)
			reason = "Auto Scaling is terminating the instance"
		}
		return func() {
			e.facts.Ending.Announced, e.facts.Ending.Asked = states.Is(announced), at
			if terminating && e.facts.Ending.Terminating != states.Yes {
				e.facts.Ending.Terminating, e.facts.Ending.Reason = states.Yes, reason
			}
		}, err
	}
}

// warningPace is slow: AWS recommends to rebalance minutes before it interrupts, and announces maintenance days ahead.
const warningPace = 30 * time.Second

// askWarning asks what AWS means to do to the instance.
func (e *Effects) askWarning() question {
	return func(ctx context.Context) (func(), error) {
		rebalance, err := e.metadata(ctx, "events/recommendations/rebalance")
		if err != nil {
			return nil, fmt.Errorf("ask for a rebalance recommendation: %w", err)
		}
		maintenance, err := e.metadata(ctx, "events/maintenance/scheduled")
		if err != nil {
			return nil, fmt.Errorf("ask for scheduled maintenance: %w", err)
		}
		warned, err := warning(rebalance, maintenance)
		if err != nil {
			return nil, err
		}
		return func() { e.facts.Ending.Warned = warned }, nil
	}
}

// warning is what the metadata says is to come, in words; empty for nothing. The formats are those of
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html and
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_scheduled_events.html.
func warning(rebalance, maintenance string) (string, error) {
	var words []string
	if rebalance != "" {
		var r struct{ NoticeTime string }
		if err := json.Unmarshal([]byte(rebalance), &r); err != nil {
			return "", fmt.Errorf("read the rebalance recommendation: %w", err)
		}
		words = append(words, "it recommended to rebalance at "+r.NoticeTime)
	}
	if maintenance != "" {
		var events []struct{ Code, NotBefore, State string }
		if err := json.Unmarshal([]byte(maintenance), &events); err != nil {
			return "", fmt.Errorf("read the scheduled maintenance: %w", err)
		}
		for _, event := range events {
			if event.State == "active" { // and neither completed nor canceled
				words = append(words, event.Code+" not before "+event.NotBefore)
			}
		}
	}
	return strings.Join(words, "; "), nil
}

func (e *Effects) confirmTermination(ctx context.Context, id string) (bool, error) {
	out, err := e.AutoScaling.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return false, fmt.Errorf("confirm the termination: %w", err)
	}
	for _, in := range out.AutoScalingInstances {
		if aws.ToString(in.InstanceId) == id && strings.HasPrefix(aws.ToString(in.LifecycleState), "Terminat") {
			return true, nil
		}
	}
	return false, nil
}

// metadata reads a path that may be absent: 404 is an answer, and means that there is nothing to tell.
func (e *Effects) metadata(ctx context.Context, path string) (string, error) {
	out, err := e.IMDS.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read instance metadata %s: %w", path, err)
	}
	defer func() { _ = out.Content.Close() }()
	body, err := io.ReadAll(io.LimitReader(out.Content, 4096))
	if err != nil {
		return "", fmt.Errorf("read instance metadata %s: %w", path, err)
	}
	return strings.TrimSpace(string(body)), nil
}
