package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// motoEar stands before moto's Auto Scaling, and counts what it answered.
type motoEar struct {
	url     string
	mu      sync.Mutex
	answers map[string]int // by "CompleteLifecycleAction releaseetcd i-1 200"
}

func listenToMoto(t *testing.T, moto *url.URL) *motoEar {
	ear := &motoEar{answers: map[string]int{}}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(moto)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{DisableKeepAlives: true},
		ErrorLog:  log.New(io.Discard, "", 0), // a daemon that ends gives its question up
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answer := &motoAnswer{ResponseWriter: w, status: http.StatusOK}
		forward.ServeHTTP(answer, r)
		form, _ := url.ParseQuery(string(body))
		ear.mu.Lock()
		defer ear.mu.Unlock()
		ear.answers[fmt.Sprintf("%s %s %s %d", form.Get("Action"), form.Get("LifecycleHookName"), form.Get("InstanceId"), answer.status)]++
	}))
	t.Cleanup(server.Close)
	ear.url = server.URL
	return ear
}

// heard tells how often moto has taken an action on an instance for a hook.
func (ear *motoEar) heard(action, hook, instance string) int {
	ear.mu.Lock()
	defer ear.mu.Unlock()
	return ear.answers[fmt.Sprintf("%s %s %s %d", action, hook, instance, http.StatusOK)]
}

type motoAnswer struct {
	http.ResponseWriter
	status int
}

func (s *motoAnswer) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// completeHooksOnMoto has a group with both hooks. Its launches wait for the cluster, and an instance that is terminated is held until
// its member has left.
func completeHooksOnMoto(t *testing.T, cloud *motoCloud) {
	if !cloud.lifecycle {
		t.Skip("SKIPPED: plain moto has no lifecycle actions (see MOTO_ASG)")
	}
	hooks := []autoscalingtypes.LifecycleHookSpecification{
		{LifecycleHookName: aws.String(rig.LaunchingHook), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"), HeartbeatTimeout: aws.Int32(30), DefaultResult: aws.String("ABANDON")},
		{LifecycleHookName: aws.String(rig.TerminatingHook), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING"), HeartbeatTimeout: aws.Int32(30), DefaultResult: aws.String("CONTINUE")},
	}
	c := cloud.createClusterWith(t, "hookedetcd", 3, hooks, "--bucket="+cloud.createBucket(t, "hooked-claims"))
	instances := c.reached(3, "Pending:Wait")
	c.boot(instances[:1]) // it cannot form a cluster of three, and keeps its launch waiting
	c.until(40*time.Second, "a daemon asks for more time", func() error {
		if cloud.asg.heard("RecordLifecycleActionHeartbeat", rig.LaunchingHook, instances[0].id) == 0 {
			return errors.New("it does not")
		}
		return nil
	})
	c.boot(instances)
	c.until(40*time.Second, "three launches are completed", func() error {
		for _, in := range instances {
			if n := cloud.asg.heard("CompleteLifecycleAction", rig.LaunchingHook, in.id); n == 0 {
				return fmt.Errorf("that of %s is not", in.id)
			}
		}
		_, err := c.healthy(instances)
		return err
	})
	if got := c.launched(3); !slices.Equal(got, instances) {
		t.Fatalf("other instances are in service")
	}

	victim := c.leader(instances)
	_, err := cloud.autoscaling.TerminateInstanceInAutoScalingGroup(t.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: aws.String(victim.id), ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
	if err != nil {
		t.Fatal(err)
	}
	if held := c.reached(1, "Terminating:Wait"); held[0] != victim {
		t.Fatalf("%s is held, and not %s", held[0].id, victim.id)
	}
	c.announceEnd(victim)
	c.until(40*time.Second, "the end of "+victim.id+" is completed", func() error {
		if cloud.asg.heard("CompleteLifecycleAction", rig.TerminatingHook, victim.id) == 0 {
			return errors.New("it is not")
		}
		return nil
	})
	if pids := processesOn(victim.disk); !slices.Equal(pids, []int{victim.daemon.Process.Pid}) {
		t.Errorf("on its disk run %v, and not its daemon alone, %d", pids, victim.daemon.Process.Pid)
	}
	victim.kill()
	instances = c.launched(3)
	c.boot(instances)
	c.until(40*time.Second, "the replacement takes the place of "+victim.id, func() error {
		_, err := c.healthy(instances)
		return err
	})
	c.daemonsWell()
}
