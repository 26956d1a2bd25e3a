package sim

import (
	"fmt"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Plan is what a seed makes of a run before it begins. It is printed with every failure. A plan that lists the faults in Only
// is replayed from that list alone, and so keeps its meaning when the way in which faults are drawn changes.
type Plan struct {
	Seed  uint64           `json:"seed"`
	Nodes int              `json:"nodes"` // desired capacity of the group
	Chaos Span             `json:"chaos"` // how long faults are made
	Quiet Span             `json:"quiet"` // how long the converged cluster must stay untouched
	Claim string           `json:"claim"` // where the claim is kept: route53, s3 or nowhere
	Loss  states.TotalLoss `json:"on_total_loss"`

	// Newer is when the configuration of new daemons changes to want the next minor; zero is never.
	Newer Span `json:"newer"`
	// InPlace says that it changes for the daemons that run as well.
	InPlace bool `json:"in_place,omitempty"`

	Hook bool `json:"hook"` // the group has a terminating lifecycle hook, so that instances have a minute to leave

	LateLaunch Span `json:"late_launch"` // up to this long from the launch of an instance to its daemon's start

	// Chances of a fault in one call. Lost: it took effect, and the answer is a timeout.
	AWSError    float64 `json:"aws_error"`
	AWSThrottle float64 `json:"aws_throttle"`
	AWSStale    float64 `json:"aws_stale"`
	AWSLost     float64 `json:"aws_lost"`
	EtcdError   float64 `json:"etcd_error"`
	EtcdLost    float64 `json:"etcd_lost"`
	DaemonCrash float64 `json:"daemon_crash"` // at one call or command: the daemon dies right before it

	// Mean times between events; zero is never.
	EtcdCrash     Span `json:"etcd_crash"`
	Terminate     Span `json:"terminate"`
	DaemonRestart Span `json:"daemon_restart"`
	Reboot        Span `json:"reboot"`
	Corrupt       Span `json:"corrupt"`
	LoseDisk      Span `json:"lose_disk"`
	Resize        Span `json:"resize"`
	DNSTamper     Span `json:"dns_tamper"`
	Outage        Span `json:"aws_outage"`

	// Only, unless it is nil, are the faults that happen, instead of those that the rates above would make.
	Only []FaultEvent `json:"only"`
}

// chances are the rates of the faults of calls, each under its class.
func (p *Plan) chances() []rate[float64] {
	return []rate[float64]{
		{AWSError, &p.AWSError}, {AWSThrottle, &p.AWSThrottle}, {AWSStale, &p.AWSStale}, {AWSLost, &p.AWSLost},
		{EtcdError, &p.EtcdError}, {EtcdLost, &p.EtcdLost}, {DaemonCrash, &p.DaemonCrash},
	}
}

// means are the mean times between faults of the world.
func (p *Plan) means() []rate[Span] {
	return []rate[Span]{
		{EtcdCrash, &p.EtcdCrash}, {Terminate, &p.Terminate}, {DaemonRestart, &p.DaemonRestart}, {Reboot, &p.Reboot}, {Corrupt, &p.Corrupt},
		{LoseDisk, &p.LoseDisk}, {Resize, &p.Resize}, {DNSTamper, &p.DNSTamper}, {Outage, &p.Outage},
	}
}

// rate is where a plan keeps the rate of a class of fault.
type rate[T any] struct {
	Kind
	value *T
}

// newPlan draws a plan. Each class of fault is left out of half the runs, since faults hide each other, and the rates of the
// rest span orders of magnitude (swarm testing).
func newPlan(seed uint64) Plan {
	s := newStream(seed, "plan")
	p := Plan{
		Seed: seed, Nodes: []int{1, 3, 3, 3, 5}[s.below(5)],
		Chaos: Span(s.between(10*time.Minute, 40*time.Minute)), Quiet: Span(20 * time.Minute),
		Claim: []string{"route53", "route53", "route53", "s3"}[s.below(4)], Loss: states.HaltOnTotalLoss,
	}
	p.Hook = s.chance(0.5)
	if s.chance(0.3) {
		p.Newer = Span(s.between(time.Minute, time.Duration(p.Chaos)))
		p.InPlace = newStream(seed, "in place").chance(0.5)
	}
	for _, c := range p.chances() {
		low, high := 0.001, 0.3
		if c.Kind == DaemonCrash {
			low, high = 0.0001, 0.02
		}
		if s.chance(0.5) {
			*c.value = s.rate(low, high)
		}
	}
	for _, m := range p.means() {
		if s.chance(0.4) {
			*m.value = Span(s.rate(float64(time.Minute), float64(30*time.Minute)))
		}
	}
	if s.chance(0.5) {
		p.LateLaunch = Span(s.rate(float64(time.Second), float64(10*time.Minute)))
	}
	return p
}

// stale tells whether any read of the run may be stale, for which AWS keeps its history.
func (p *Plan) stale() bool {
	for _, e := range p.Only {
		if e.Kind == AWSStale {
			return true
		}
	}
	return p.AWSStale > 0
}

func (p Plan) String() string {
	s := fmt.Sprintf("seed %d: %d nodes, claim in %s, %s of chaos", p.Seed, p.Nodes, p.Claim, time.Duration(p.Chaos).Round(time.Second))
	if p.Hook {
		s += ", lifecycle hook"
	}
	if p.Newer > 0 {
		s += fmt.Sprintf(", next minor wanted from %s on", time.Duration(p.Newer).Round(time.Second))
		if p.InPlace {
			s += " by all"
		}
	}
	if p.Only != nil {
		return s + fmt.Sprintf(", %d faults listed", len(p.Only))
	}
	for _, c := range p.chances() {
		if *c.value > 0 {
			s += fmt.Sprintf(", %s %.4f", c.Kind, *c.value)
		}
	}
	for _, m := range append(p.means(), rate[Span]{LateLaunch, &p.LateLaunch}) {
		if *m.value > 0 {
			s += fmt.Sprintf(", %s %s", m.Kind, time.Duration(*m.value).Round(time.Second))
		}
	}
	return s
}
