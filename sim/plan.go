package sim

import (
	"fmt"
	"slices"
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

	// Regions is how many regions the instances are in; zero is one. There may be two.
	Regions int `json:"regions,omitempty"`
	// Routed says that the network lets the regions meet, so that no daemon has to let anybody in.
	Routed bool `json:"routed,omitempty"`

	// Newer is when the configuration of new daemons changes to want the newest minor; zero is never.
	Newer Span `json:"newer"`
	// InPlace says that it changes for the daemons that run as well.
	InPlace bool `json:"in_place,omitempty"`
	// Long says that the way is from 3.5 over 3.6 to 3.7: a daemon is told of its end, and finds the steps by itself.
	Long bool `json:"long,omitempty"`
	// Old says that the servers are those of the way from 2.3 to 3.0, which is gone over the v2 API.
	Old bool `json:"old,omitempty"`

	// Replace is how long a member may be unhealthy before its instance is replaced; zero is for ever.
	Replace Span `json:"replace,omitempty"`

	Hook bool `json:"hook"` // the group has a terminating lifecycle hook, so that instances have a minute to leave

	Mode  Mode   `json:"mode,omitempty"`
	Rates []Rate `json:"rates"` // of the classes of faults that are made

	Scenario string `json:"scenario,omitempty"` // which the script is of

	// Script is what happens to the group, step by step, each with the words of a dialogue; without one, it is left to the faults.
	Script []string `json:"script,omitempty"`

	// Only, unless it is nil, are the faults that happen, instead of those that the rates above would make.
	Only []FaultEvent `json:"only"`
}

// Mode is how the classes of faults of a run are chosen.
type Mode string

// The modes.
const (
	Swarm  Mode = "swarm"  // many classes are left out, since faults hide each other (swarm testing)
	Storm  Mode = "storm"  // twice as many are made
	Single Mode = "single" // one class is made: what it leads to is not hidden by anything
	Calm   Mode = "calm"   // none is
)

// daysOfQuiet is in how many runs the converged cluster must stay untouched for a day: what comes once an hour shows then.
const daysOfQuiet = 1.0 / 500

// newPlan draws a plan.
func newPlan(seed uint64) Plan {
	s := newStream(seed, "plan")
	p := Plan{
		Seed: seed, Nodes: []int{1, 3, 3, 3, 5}[s.below(5)],
		Chaos: Span(s.between(10*time.Minute, 40*time.Minute)), Quiet: Span(20 * time.Minute),
		Claim: []string{"route53", "route53", "route53", "s3"}[s.below(4)], Loss: states.HaltOnTotalLoss,
	}
	if newStream(seed, "a day").chance(daysOfQuiet) {
		p.Quiet = Span(24 * time.Hour)
	}
	p.Hook = s.chance(0.5)
	if s.chance(0.3) {
		p.Newer = Span(s.between(time.Minute, time.Duration(p.Chaos)))
		p.InPlace = newStream(seed, "in place").chance(0.5)
	}
	p.Old = newStream(seed, "old").chance(0.03)
	if newStream(seed, "replace").chance(0.3) {
		p.Replace = Span(10 * time.Minute)
	}
	if p.Nodes > 1 && newStream(seed, "regions").chance(0.1) {
		p.Regions, p.Routed = 2, newStream(seed, "routed").chance(0.3)
	}
	p.Long = p.Newer > 0 && !p.Old && newStream(seed, "long").chance(0.4)
	p.Mode = []Mode{Swarm, Swarm, Swarm, Swarm, Swarm, Swarm, Swarm, Storm, Single, Calm}[s.below(10)]
	p.Rates = drawRates(seed, p.Mode)
	if all := slices.ContainsFunc(p.Rates, func(r Rate) bool { return r.Kind == AllEnd }); all && newStream(seed, "loss").chance(0.7) {
		p.Loss = states.NewOnTotalLoss
	}
	return p
}

// drawRates draws which classes are made, and how often. Each class draws from numbers of its own, so that a new one does not
// change what the others do under a seed.
func drawRates(seed uint64, mode Mode) (rates []Rate) {
	factor := map[Mode]float64{Swarm: 1, Storm: 2}[mode]
	var alone Kind
	most := uint64(0)
	for k := range Kinds {
		s := newStream(seed, "plan/"+k.String())
		lot := s.next()
		made := s.chance(kinds[k].often * factor)
		r := drawRate(k, s)
		if made {
			rates = append(rates, r)
		}
		if kinds[k].often > 0 && kinds[k].often < 1 && lot >= most {
			alone, most = k, lot
		}
	}
	if mode == Single {
		return only(seed, alone)
	}
	return rates
}

// only are the rates of one class, and of those without which it comes to nothing.
func only(seed uint64, k Kind) (rates []Rate) {
	for _, made := range append([]Kind{k}, kinds[k].needs...) {
		rates = append(rates, drawRate(made, newStream(seed, "plan/"+made.String()+"/alone")))
	}
	return rates
}

// Alone is the plan of a seed with faults of one class only, in less time than a drawn plan takes.
func Alone(seed uint64, k Kind) Plan {
	p := newPlan(seed)
	p.Chaos, p.Newer, p.Quiet = p.Chaos/2, p.Newer/2, Span(5*time.Minute)
	p.Mode, p.Rates = Single, only(seed, k)
	return p
}

// Rich is the plan of a seed with five instances and two hours of many classes of faults.
func Rich(seed uint64) Plan {
	p := newPlan(seed)
	p.Newer = Span(2 * float64(time.Hour) / float64(p.Chaos) * float64(p.Newer))
	p.Nodes, p.Chaos, p.Quiet = 5, Span(2*time.Hour), Span(5*time.Minute)
	p.Mode, p.Rates = Storm, drawRates(seed, Storm)
	return p
}

// makes tells whether the run may have faults of a class.
func (p *Plan) makes(k Kind) bool {
	for _, e := range p.Only {
		if e.Kind == k {
			return true
		}
	}
	for _, r := range p.Rates {
		if r.Kind == k {
			return true
		}
	}
	return false
}

// group is what the run is of, without the faults.
func (p *Plan) group() string {
	if p.Scenario != "" {
		return fmt.Sprintf("scenario %s: %d nodes, claim in %s", p.Scenario, p.Nodes, p.Claim)
	}
	s := fmt.Sprintf("seed %d: %d nodes, claim in %s, %s of chaos", p.Seed, p.Nodes, p.Claim, time.Duration(p.Chaos).Round(time.Second))
	if p.Old || p.Long {
		s += fmt.Sprintf(", etcd %v", p.servers())
	}
	if p.Hook {
		s += ", lifecycle hook"
	}
	if p.Replace > 0 {
		s += ", the unhealthy are replaced"
	}
	if p.Newer > 0 {
		s += fmt.Sprintf(", a newer minor wanted from %s on", time.Duration(p.Newer).Round(time.Second))
		if p.InPlace {
			s += " by all"
		}
	}
	return s
}

func (p Plan) String() string {
	s := p.group()
	if p.Only != nil {
		return s + fmt.Sprintf(", %d faults listed", len(p.Only))
	}
	if p.Mode != "" {
		s += ", " + string(p.Mode)
	}
	for _, r := range p.Rates {
		s += ", " + r.String()
	}
	return s
}
