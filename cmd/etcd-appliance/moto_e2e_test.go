package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

// TestClusterOnMoto runs the daemon as it is shipped, with real etcd, against an AWS and a metadata service that none of us
// wrote: moto (https://github.com/getmoto/moto) and AWS's own mock. What our fakes have wrong about AWS shows here.
func TestClusterOnMoto(t *testing.T) {
	cloud := startMoto(t)
	t.Run("hosted zone", func(t *testing.T) {
		t.Parallel()
		replaceLeaderOnMoto(t, cloud)
	})
	t.Run("bucket", func(t *testing.T) {
		t.Parallel()
		formFromBucketOnMoto(t, cloud)
	})
	t.Run("two regions", func(t *testing.T) {
		t.Parallel()
		spanRegionsOnMoto(t, cloud)
	})
	t.Run("lifecycle hooks", func(t *testing.T) {
		t.Parallel()
		completeHooksOnMoto(t, cloud)
	})
}

// replaceLeaderOnMoto forms a cluster from three instances that start at once, ends the one that leads through Auto Scaling,
// and waits until the instance that Auto Scaling launched for it has taken its place in etcd, DNS and claim.
func replaceLeaderOnMoto(t *testing.T, cloud *motoCloud) {
	zone, decoy := cloud.createZone(t, true), cloud.createZone(t, false)
	c := cloud.createCluster(t, "releaseetcd", "--hosted-zone="+motoZone)
	instances := c.launched(3)
	c.boot(instances)
	var id uint64
	var token string
	inOrder := func() (err error) {
		if id, err = c.healthy(instances); err != nil {
			return err
		}
		records := cloud.records(t, zone)
		if token, err = c.formed(records["TXT _etcd-bootstrap.releaseetcd."+motoZone+"."], id, instances); err != nil {
			return err
		}
		return c.published(records, instances)
	}
	c.until(40*time.Second, "three instances form a cluster, claim it and publish it", inOrder)
	if !strings.HasPrefix(token, "releaseetcd-i-") {
		t.Errorf("token of the claim: %q", token)
	}
	firstID, firstToken := id, token
	c.put(instances[0], "kept", "since before the replacement")

	victim := c.leader(instances)
	_, err := cloud.autoscaling.TerminateInstanceInAutoScalingGroup(t.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: aws.String(victim.id), ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
	if err != nil {
		t.Fatal(err)
	}
	victim.kill()
	instances = c.launched(3)
	for _, in := range instances {
		if in.id == victim.id {
			t.Fatalf("%s is still in its group", in.id)
		}
	}
	c.boot(instances)
	c.until(40*time.Second, "the replacement takes the place of "+victim.id, inOrder)
	if id != firstID || token != firstToken {
		t.Errorf("after the replacement: cluster %x, token %s\nbefore: cluster %x, token %s", id, token, firstID, firstToken)
	}
	for _, in := range instances {
		if got := c.get(in, "kept"); got != "since before the replacement" {
			t.Errorf("%s has lost a key: %q", in.id, got)
		}
	}
	c.daemonsWell()
	if strays := cloud.records(t, decoy); len(strays) > 0 {
		t.Errorf("published in the public zone of the same name: %v", strays)
	}
}

// formFromBucketOnMoto forms a cluster whose claim is an object, and which has no DNS.
func formFromBucketOnMoto(t *testing.T, cloud *motoCloud) {
	bucket := cloud.createBucket(t, "etcd-claims")
	c := cloud.createCluster(t, "bucketetcd", "--bucket="+bucket)
	instances := c.launched(3)
	c.boot(instances)
	c.until(40*time.Second, "three instances form a cluster and claim it in the bucket", func() error {
		id, err := c.healthy(instances)
		if err != nil {
			return err
		}
		objects := cloud.objects(t, bucket)
		if len(objects) != 1 {
			return fmt.Errorf("the bucket holds %d objects", len(objects))
		}
		_, err = c.formed(strings.TrimSuffix(objects["etcd-appliance/bucketetcd/claim"], "\n"), id, instances)
		return err
	})
	c.daemonsWell()
}

// motoEnv is an environment variable, or what is usual.
func motoEnv(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}
