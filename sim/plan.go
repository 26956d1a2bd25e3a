package sim

import (
	"fmt"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Plan is what a seed makes of a run before it begins. It is printed with every failure.
type Plan struct {
	Seed  uint64
	Nodes int           // desired capacity of the group
	Chaos time.Duration // how long faults are made
	Quiet time.Duration // how long the converged cluster must stay untouched
	Claim string        // where the claim is kept: route53, s3 or nowhere
	Loss  states.TotalLoss

	// Newer is when the configuration of new daemons changes to want the next minor; zero is never.
	Newer time.Duration

	Hook bool // the group has a terminating lifecycle hook, so that instances have a minute to leave

	LateLaunch time.Duration // up to this long from the launch of an instance to its daemon's start

	// Chances of a fault in one call.
	AWSError, AWSThrottle, AWSStale, AWSLost float64 // Lost: it took effect, and the answer is a timeout
	EtcdError, EtcdLost                      float64
	DaemonCrash                              float64 // at one call or command: the daemon dies right before it

	// Mean times between events; zero is never.
	EtcdCrash, Terminate, DaemonRestart, Reboot, Corrupt, LoseDisk, Resize, DNSTamper, Outage time.Duration
}

// newPlan draws a plan. Each class of fault is left out of half the runs, since faults hide each other, and the rates of the
// rest span orders of magnitude (swarm testing).
func newPlan(seed uint64) Plan {
	s := newStream(seed, "plan")
	p := Plan{
		Seed: seed, Nodes: []int{1, 3, 3, 3, 5}[s.below(5)],
		Chaos: s.between(10*time.Minute, 40*time.Minute), Quiet: 20 * time.Minute,
		Claim: []string{"route53", "route53", "route53", "s3"}[s.below(4)], Loss: states.HaltOnTotalLoss,
	}
	p.Hook = s.chance(0.5)
	if s.chance(0.3) {
		p.Newer = s.between(time.Minute, p.Chaos)
	}
	for _, chance := range []*float64{&p.AWSError, &p.AWSThrottle, &p.AWSStale, &p.AWSLost, &p.EtcdError, &p.EtcdLost} {
		if s.chance(0.5) {
			*chance = s.rate(0.001, 0.3)
		}
	}
	if s.chance(0.5) {
		p.DaemonCrash = s.rate(0.0001, 0.02)
	}
	for _, mean := range []*time.Duration{&p.EtcdCrash, &p.Terminate, &p.DaemonRestart, &p.Reboot, &p.Corrupt, &p.LoseDisk, &p.Resize, &p.DNSTamper, &p.Outage} {
		if s.chance(0.4) {
			*mean = time.Duration(s.rate(float64(time.Minute), float64(30*time.Minute)))
		}
	}
	if s.chance(0.5) {
		p.LateLaunch = time.Duration(s.rate(float64(time.Second), float64(10*time.Minute)))
	}
	return p
}

func (p Plan) String() string {
	s := fmt.Sprintf("seed %d: %d nodes, claim in %s, %s of chaos", p.Seed, p.Nodes, p.Claim, p.Chaos.Round(time.Second))
	if p.Hook {
		s += ", lifecycle hook"
	}
	if p.Newer > 0 {
		s += fmt.Sprintf(", next minor wanted from %s on", p.Newer.Round(time.Second))
	}
	for _, c := range []struct {
		name   string
		chance float64
	}{
		{"aws error", p.AWSError}, {"throttle", p.AWSThrottle}, {"stale", p.AWSStale}, {"aws lost answer", p.AWSLost},
		{"etcd error", p.EtcdError}, {"etcd lost answer", p.EtcdLost}, {"daemon crash", p.DaemonCrash},
	} {
		if c.chance > 0 {
			s += fmt.Sprintf(", %s %.4f", c.name, c.chance)
		}
	}
	for _, e := range []struct {
		name string
		mean time.Duration
	}{
		{"etcd crash", p.EtcdCrash}, {"terminate", p.Terminate}, {"daemon restart", p.DaemonRestart}, {"reboot", p.Reboot}, {"corrupt", p.Corrupt},
		{"lose disk", p.LoseDisk}, {"resize", p.Resize}, {"dns tamper", p.DNSTamper}, {"aws outage", p.Outage}, {"late launch", p.LateLaunch},
	} {
		if e.mean > 0 {
			s += fmt.Sprintf(", %s %s", e.name, e.mean.Round(time.Second))
		}
	}
	return s
}
