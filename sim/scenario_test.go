package sim

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// calm is a world without faults, in which a test does what it is about.
func calm(t *testing.T, nodes int, change ...func(*Plan)) *world {
	t.Helper()
	p := Plan{Seed: 1, Nodes: nodes, Claim: "route53", Loss: states.HaltOnTotalLoss, Quiet: Span(10 * time.Minute)}
	for _, c := range change {
		c(&p)
	}
	w := newWorld(p, Options{})
	w.said = map[string]bool{}
	w.launch()
	w.writeForever()
	return w
}

// converges demands a whole cluster, and returns how long it took.
func (w *world) converges(t *testing.T) time.Duration {
	t.Helper()
	took, excused := w.runQuiet()
	if w.violation != nil || excused != "" {
		t.Fatalf("%v %s", w.violation, excused)
	}
	return took
}

func (w *world) end(t *testing.T, ids ...string) {
	t.Helper()
	_, err := w.cloud.EC2(nature).TerminateInstances(context.Background(), &ec2.TerminateInstancesInput{InstanceIds: ids})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) resizeTo(t *testing.T, size int) {
	t.Helper()
	_, err := w.cloud.AutoScaling(nature).SetDesiredCapacity(context.Background(), &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: aws.String(groupName), DesiredCapacity: aws.Int32(int32(size)),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) ids() (all []string, leader string) {
	c := w.served()
	for _, m := range c.Members() {
		all = append(all, m.Name)
		if m.ID == c.Leader() {
			leader = m.Name
		}
	}
	return all, leader
}

// anyWhy tells whether a daemon's decision has ever given a reason with these words.
func (w *world) anyWhy(words string) bool {
	for what := range w.said {
		if strings.Contains(what, words) {
			return true
		}
	}
	return false
}

func TestGroupsOfEverySizeFormOneCluster(t *testing.T) {
	for _, claim := range []string{"route53", "s3", "nowhere"} {
		for _, nodes := range []int{1, 2, 3, 4, 5, 7} {
			w := calm(t, nodes, func(p *Plan) { p.Claim = claim })
			w.converges(t)
			if n := len(w.check.served); n != 1 {
				t.Errorf("claim in %s, %d nodes: %d clusters served", claim, nodes, n)
			}
		}
	}
}

// Instances whose daemons start up to ten minutes apart wait for each other, or join; they never form a second cluster.
func TestStragglersMinutesApart(t *testing.T) {
	for seed := range uint64(20) {
		w := calm(t, 5, func(p *Plan) {
			p.Seed, p.Rates = seed, []Rate{{Kind: LateLaunch, Chance: 1, Most: Span(10 * time.Minute)}}
		})
		w.run(15 * time.Minute)
		w.converges(t)
		if n := len(w.check.served); n != 1 {
			t.Errorf("seed %d: %d clusters served", seed, n)
		}
	}
}

func TestReplacementOfTheLeader(t *testing.T) {
	w := calm(t, 3)
	w.converges(t)
	_, leader := w.ids()
	w.end(t, leader)
	w.run(w.now + time.Second)
	w.converges(t)
	if all, _ := w.ids(); len(all) != 3 || w.byID[leader] == nil || !w.byID[leader].gone {
		t.Errorf("members %v after the end of %s", all, leader)
	}
}

// With a terminating lifecycle hook instances have the time to leave, and a group can shrink to one without losing its quorum.
func TestScaleOutAndIn(t *testing.T) {
	w := calm(t, 3, func(p *Plan) { p.Hook = true })
	w.converges(t)
	for _, size := range []int{5, 3, 4, 1, 3} {
		w.resizeTo(t, size)
		w.run(w.now + 2*time.Second)
		w.converges(t)
	}
	if n := len(w.check.served); n != 1 {
		t.Errorf("%d clusters served", n)
	}
}

func TestAllInstancesRebootAtOnce(t *testing.T) {
	w := calm(t, 3)
	w.converges(t)
	all, _ := w.ids()
	_, err := w.cloud.EC2(nature).RebootInstances(context.Background(), &ec2.RebootInstancesInput{InstanceIds: all})
	if err != nil {
		t.Fatal(err)
	}
	w.run(w.now + time.Second)
	w.converges(t)
	if after, _ := w.ids(); strings.Join(after, " ") != strings.Join(all, " ") {
		t.Errorf("members changed from %v to %v", all, after)
	}
}

// When every instance ends, data and all, the default is to halt and say so: only a human knows whether there is a backup.
func TestTotalLossHalts(t *testing.T) {
	w := calm(t, 3)
	w.converges(t)
	all, _ := w.ids()
	w.end(t, all...)
	w.run(w.now + time.Hour)
	if n := len(w.check.served); n != 1 || !w.anyWhy("TOTAL LOSS: every instance of the claim has ended with its data: halts") {
		t.Errorf("%d clusters served; halted with a reason: %v", n, w.anyWhy("halts"))
	}
}

// A group that is scaled to nothing every night may be told to begin anew every morning.
func TestTotalLossNew(t *testing.T) {
	w := calm(t, 3, func(p *Plan) { p.Loss = states.NewOnTotalLoss })
	w.converges(t)
	w.resizeTo(t, 0)
	w.run(w.now + 2*time.Hour) // EC2 has forgotten the instances by then
	w.resizeTo(t, 3)
	w.run(w.now + time.Minute)
	w.converges(t)
	if n := len(w.check.served); n != 2 {
		t.Errorf("%d clusters served", n)
	}
}

// An AWS outage while a member's instance has ended: etcd serves on, nothing is removed on silence, and all is mended after.
func TestOutageDuringReplacement(t *testing.T) {
	w := calm(t, 3)
	w.converges(t)
	all, _ := w.ids()
	w.chaos, w.outage = true, true
	w.end(t, all[0])
	w.run(w.now + 10*time.Minute)
	if after, _ := w.ids(); len(after) != 3 || !w.served().HasQuorum() {
		t.Errorf("during the outage: members %v, quorum %v", after, w.served().HasQuorum())
	}
	w.converges(t)
}
