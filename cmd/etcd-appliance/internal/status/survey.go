package status

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Survey is the cluster as seen from one instance: what its daemon knows, what the daemons of the others say where they answer, and
// what the servers themselves say of which no daemon that answers knows how they are.
type Survey struct {
	Healthy  bool     `json:"healthy"`
	Problems []string `json:"problems"` // why not
	Here     Status   `json:"here"`
	Members  []Row    `json:"members"`
	Others   []Agent  `json:"others"`
}

// Row is a member in a survey.
type Row struct {
	Member
	Here bool `json:"here,omitempty"` // it is that of this instance
}

// Agent is the daemon of another instance.
type Agent struct {
	Instance string  `json:"instance"`
	Address  string  `json:"address"`
	Error    string  `json:"error,omitempty"` // why it does not answer
	Status   *Status `json:"status,omitempty"`
}

// Surveyor asks around.
type Surveyor struct {
	Client *http.Client
	// Ask asks a server how it is; nil: nobody is asked.
	Ask func(ctx context.Context, clientURL string) (effects.EtcdStatus, error)
	// Limit is how long the others have to answer.
	Limit time.Duration
}

// Survey asks the daemon at an address, and then everybody that it knows of. The others are asked on the same port. An error means that
// this daemon does not answer.
func (s *Surveyor) Survey(ctx context.Context, address string) (*Survey, error) {
	local, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	here, err := Ask(local, s.Client, address)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, s.Limit)
	defer cancel()
	v := &Survey{Here: here, Others: s.askOthers(bounded, &here, port), Problems: []string{}}
	v.merge()
	s.askServers(ctx, v.Members)
	v.judge()
	return v, nil
}

// askOthers asks the daemons of the other members, and of the instances that are none yet.
func (s *Surveyor) askOthers(ctx context.Context, here *Status, port string) []Agent {
	others := []Agent{}
	add := func(instance, address string) {
		known := func(a Agent) bool { return a.Address == address }
		if address != "" && address != here.Address && instance != here.Instance && !slices.ContainsFunc(others, known) {
			others = append(others, Agent{Instance: instance, Address: address})
		}
	}
	for i := range here.Members.List {
		add(here.Members.List[i].Instance, here.Members.List[i].Address)
	}
	for _, in := range here.Group.Instances {
		if in.InGroup && in.State == "running" {
			add(in.ID, in.Address)
		}
	}
	var all sync.WaitGroup
	for i := range others {
		all.Go(func() {
			status, err := Ask(ctx, s.Client, net.JoinHostPort(others[i].Address, port))
			if err != nil {
				others[i].Error = err.Error()
				return
			}
			others[i].Status = &status
		})
	}
	all.Wait()
	return others
}

// statuses are those of the daemons that answer, the one here first.
func (v *Survey) statuses() []*Status {
	statuses := []*Status{&v.Here}
	for i := range v.Others {
		if v.Others[i].Status != nil {
			statuses = append(statuses, v.Others[i].Status)
		}
	}
	return statuses
}

// merge takes the list of members from a daemon whose member leads, since that one has asked them all; and what each daemon says of
// its own member where it does not say so.
func (v *Survey) merge() {
	statuses := v.statuses()
	best := &v.Here
	for _, s := range statuses {
		if s.Member.Role == Leader && s.Members.Known == "yes" && s.Members.ID == v.Here.Members.ID {
			best = s
		}
	}
	for _, m := range best.Members.List {
		row := Row{Member: m, Here: m.Instance == v.Here.Instance}
		for _, s := range statuses {
			row.learn(s)
		}
		v.Members = append(v.Members, row)
	}
	slices.SortFunc(v.Members, func(a, b Row) int { return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.ID, b.ID)) })
}

// learn fills in what the daemon of a member says of it.
func (r *Row) learn(s *Status) {
	if s.Instance != r.Instance || s.Member.ID != r.ID {
		return
	}
	if r.Health == states.Unknown.String() {
		r.Health = states.Is(s.Ready).String()
	}
	r.Version, r.Zone = cmp.Or(r.Version, s.Etcd.Running), cmp.Or(r.Zone, s.Zone)
	r.Applied = cmp.Or(r.Applied, s.Member.Applied)
}

// askServers asks those servers that nobody has asked.
func (s *Surveyor) askServers(ctx context.Context, rows []Row) {
	if s.Ask == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.Limit)
	defer cancel()
	var all sync.WaitGroup
	for i := range rows {
		if r := &rows[i]; r.Health == states.Unknown.String() && r.ClientURL != "" {
			all.Go(func() { r.ask(ctx, s.Ask) })
		}
	}
	all.Wait()
}

func (r *Row) ask(ctx context.Context, ask func(context.Context, string) (effects.EtcdStatus, error)) {
	answer, err := ask(ctx, r.ClientURL)
	if err != nil || hex(answer.MemberID) != r.ID {
		r.Health = states.No.String()
		return
	}
	r.Health, r.Version, r.Applied = states.Is(answer.Leader != 0).String(), answer.Version.String(), answer.Applied
	r.Alarm = effects.Alarm(answer.Errors)
}

// judge lists what is not as it should be.
func (v *Survey) judge() {
	bad := func(format string, args ...any) { v.Problems = append(v.Problems, fmt.Sprintf(format, args...)) }
	here := &v.Here
	if !here.Ready {
		bad("%s is not ready: %s", here.Instance, here.NotReady)
	}
	for _, report := range here.Reports {
		bad("%s reports: %s", here.Instance, report)
	}
	for _, s := range v.statuses() {
		if s != here {
			v.judgeOther(s, bad)
		}
		judgeCertificates(s, bad)
	}
	voters := 0
	for i := range v.Members {
		switch r := &v.Members[i]; {
		case r.Role == Unstarted:
			bad("member %s has not started", cmp.Or(r.Instance, r.Address, r.ID))
		case r.Ended:
			bad("the instance of member %s has ended", cmp.Or(r.Instance, r.ID))
		case r.Health == states.No.String() && !r.Here:
			bad("member %s is not healthy", cmp.Or(r.Instance, r.ID))
		case r.Alarm != "":
			bad("member %s has raised an alarm: %s", cmp.Or(r.Instance, r.ID), r.Alarm)
		}
		if r := &v.Members[i]; r.Role != Learner && r.Role != Unstarted {
			voters++
		}
	}
	if here.Group.Known == "yes" && voters != here.Group.Desired {
		bad("the cluster has %d voters, and the group wants %d instances", voters, here.Group.Desired)
	}
	if h := here.Upgrade.Halted; h != nil {
		bad("an upgrade is halted: %s", h.Why)
	}
	if d := v.dns(); d.Drift == "yes" {
		bad("DNS is wrong: %d record sets are to be changed", len(d.Wrong))
	}
	v.Healthy = len(v.Problems) == 0
}

func (v *Survey) judgeOther(s *Status, bad func(string, ...any)) {
	if s.Members.ID != "" && v.Here.Members.ID != "" && s.Members.ID != v.Here.Members.ID {
		bad("%s is in another cluster, %s instead of %s", s.Instance, s.Members.ID, v.Here.Members.ID)
	}
	isMember := slices.ContainsFunc(v.Members, func(r Row) bool { return r.Instance == s.Instance })
	if !s.Ready && (!isMember || s.Member.Answers == "yes") { // else it is an unhealthy member
		bad("%s is not ready: %s", s.Instance, s.NotReady)
	}
	for _, report := range s.Reports {
		if !slices.Contains(v.Here.Reports, report) {
			bad("%s reports: %s", s.Instance, report)
		}
	}
}

// dns is what the daemon says that compares it, if it answers.
func (v *Survey) dns() DNS {
	for i := range v.Others {
		if s := v.Others[i].Status; s != nil && v.Here.DNS.Drift == states.Unknown.String() && s.DNS.Drift != states.Unknown.String() {
			return s.DNS
		}
	}
	return v.Here.DNS
}
