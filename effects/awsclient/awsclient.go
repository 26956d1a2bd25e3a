// Package awsclient makes the real AWS clients of the daemon. Nothing in it knows whether they reach AWS: the SDK's own
// settings (AWS_ENDPOINT_URL, AWS_EC2_METADATA_SERVICE_ENDPOINT) point them elsewhere.
package awsclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// maxAttempts is small: the loop asks again by itself, and a client that retries for long only holds back newer answers.
const maxAttempts = 2

// Clients are the AWS clients of one daemon. They are made at the first call, and again at the next if that fails: a daemon
// whose metadata service is slow to tell the region must still restart its etcd.
type Clients struct {
	// Called, if not nil, is told of every attempt of every call, from whichever goroutine made it.
	Called func(service, action string, outcome Outcome)
	// Region is where they ask; empty: where the instance is, or where the environment says.
	Region string

	mu    sync.Mutex
	ready *clients
}

type clients struct {
	ec2         *ec2.Client
	autoscaling *autoscaling.Client
	route53     *route53.Client
	s3          *s3.Client
}

var (
	_ effects.EC2         = (*Clients)(nil)
	_ effects.AutoScaling = (*Clients)(nil)
	_ effects.Route53     = (*Clients)(nil)
	_ effects.S3          = (*Clients)(nil)
	_ effects.IMDS        = (*imds.Client)(nil)
)

func (c *Clients) get(ctx context.Context) (*clients, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready == nil {
		made, err := c.load(ctx)
		if err != nil {
			return nil, err
		}
		c.ready = made
	}
	return c.ready, nil
}

// Settings are those of the SDK, for the daemon and for the commands of an operator. An instance has no region in its
// environment, so it is asked from the metadata service when none is set.
func Settings(ctx context.Context) (aws.Config, error) {
	settings, err := config.LoadDefaultConfig(ctx,
		config.WithDefaultsMode(aws.DefaultsModeInRegion),
		config.WithRetryMaxAttempts(maxAttempts),
		config.WithEC2IMDSRegion(),
		config.WithAppID("etcd-appliance"),
		config.WithLogger(logging.Nop{}), // it would write plain text between the lines of our log; errors are returned as well
	)
	switch {
	case err != nil:
		return settings, fmt.Errorf("load the AWS configuration: %w", err)
	case settings.Region == "":
		return settings, errors.New("no AWS region: the instance metadata service did not tell one; set AWS_REGION")
	}
	return settings, nil
}

func (c *Clients) load(ctx context.Context) (*clients, error) {
	settings, err := Settings(ctx)
	if err != nil {
		return nil, err
	}
	if c.Region != "" {
		settings.Region = c.Region
	}
	if c.Called != nil {
		settings.APIOptions = append(settings.APIOptions, counted(c.Called))
	}
	pathStyle := func(o *s3.Options) { // an endpoint of its own has no bucket hosts
		o.UsePathStyle = settings.BaseEndpoint != nil || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	}
	return &clients{
		ec2: ec2.NewFromConfig(settings), autoscaling: autoscaling.NewFromConfig(settings),
		route53: route53.NewFromConfig(settings), s3: s3.NewFromConfig(settings, pathStyle),
	}, nil
}

// NewIMDS makes a client of the instance metadata service that never falls back to version 1, which answers without a session
// token. It is short-tempered: the service is on the instance itself.
func NewIMDS() *imds.Client {
	return imds.New(imds.Options{
		EnableFallback: aws.FalseTernary,
		Endpoint:       os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		HTTPClient:     &http.Client{Timeout: 2 * time.Second},
	})
}
