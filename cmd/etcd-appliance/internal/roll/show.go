package roll

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Lines tells a roll in lines: one each time that something else is done or waited for.
func Lines(out io.Writer) func(*Picture) {
	last := ""
	return func(p *Picture) {
		if p.Doing == last {
			return
		}
		last = p.Doing
		fmt.Fprintf(out, "%s  %d of %d  %s\n", clock(time.Since(p.Began)), p.Done, len(p.InService()), p.Doing)
	}
}

// Table draws a roll on a terminal, over what it has drawn before.
func Table(out io.Writer, to states.MinorVersion) func(*Picture) {
	drawn := 0
	return func(p *Picture) {
		text := p.table(to)
		if drawn > 0 {
			fmt.Fprintf(out, "\x1b[%dA", drawn) // up to where the last one began
		}
		for line := range strings.Lines(text) {
			fmt.Fprint(out, strings.TrimSuffix(line, "\n"), "\x1b[K\n")
		}
		fmt.Fprint(out, "\x1b[J")
		drawn = strings.Count(text, "\n")
	}
}

// table is the group as it is, with what is being done below it.
func (p *Picture) table(to states.MinorVersion) string {
	var b strings.Builder
	n := len(p.InService())
	fmt.Fprintf(&b, "to etcd %s: %d of %d, %s", to, p.Done, n, clock(time.Since(p.Began)))
	if p.Left > 0 {
		fmt.Fprintf(&b, ", about %s left", p.Left.Round(time.Second))
	}
	b.WriteString("\n\n")
	row := func(cells ...any) { fmt.Fprintf(&b, "  %-19s  %-15s  %-12s  %-9s  %-9s  %s\n", cells...) }
	row("instance", "address", "zone", "etcd", "role", "")
	for _, i := range p.Instances {
		if i.State == "terminated" {
			continue
		}
		row(i.ID, i.Address, i.Zone, i.Etcd.Version, role(&i), p.remark(&i, to))
	}
	fmt.Fprintf(&b, "\n  DNS   %s\n  lock  %s\n  now   %s\n", p.dns(), p.lock(), p.Doing)
	return b.String()
}

func role(i *observer.Instance) string {
	switch e := &i.Etcd; {
	case i.State != "running":
		return i.State
	case e.ClusterID == 0:
		return "-"
	case e.Learner:
		return "learner"
	case !e.Serves:
		return "starting"
	case e.Leader == e.MemberID:
		return "leader"
	}
	return "follower"
}

func (p *Picture) remark(i *observer.Instance, to states.MinorVersion) string {
	switch {
	case i.ID == p.Current || i.State == "shutting-down":
		return "is being replaced"
	case i.ID == p.Lock.Owner:
		return "changes its server"
	case minorOf(i.Etcd.Version) == to:
		return "done"
	}
	return ""
}

func (p *Picture) dns() string {
	if err := p.DNSRight(); err != nil {
		return err.Error()
	}
	return "right: " + strings.Join(p.DNS.A, " ")
}

func (p *Picture) lock() string {
	switch {
	case p.LockErr != nil:
		return "not known: " + p.LockErr.Error()
	case p.Lock.Owner != "":
		return fmt.Sprintf("%s, from %s to %s", p.Lock.Owner, p.Lock.From, p.Lock.To)
	}
	return "free"
}

// clock writes 01:23.
func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
