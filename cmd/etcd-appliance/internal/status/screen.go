package status

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// told is how many decisions are shown on a screen.
const told = 6

// Screen is a survey for a terminal.
func (v *Survey) Screen(now time.Time) string {
	var b strings.Builder
	h := &v.Here
	line := func(format string, args ...any) { b.WriteString(clean(fmt.Sprintf(format, args...)) + "\n") }
	line("cluster %s, seen from %s %s%s", h.Cluster, h.Instance, h.Address, parenthesis(h.Zone))
	line("%s for %s: %s", h.State, ago(now, h.Since), h.Why)
	b.WriteString("\n")
	v.table(&b, now)
	b.WriteString("\n")
	line("group  %s", v.groupLine())
	line("etcd   %s", etcdLine(&h.Etcd))
	line("lock   %s", lockLine(&h.Upgrade, now))
	line("DNS    %s", dnsLine(v.dns()))
	for _, c := range v.expiring(now) {
		line("TLS    %s", c)
	}
	if len(h.Busy) > 0 {
		line("doing  %s", strings.Join(h.Busy, "; "))
	}
	for _, a := range v.Others {
		if a.Status == nil {
			line("agent  of %s does not answer at its address (a daemon listens on loopback only, unless --status-address says otherwise)", cmp.Or(a.Instance, a.Address))
		}
	}
	b.WriteString("\nlast decisions\n")
	for i := range h.Decisions[:min(told, len(h.Decisions))] {
		d := &h.Decisions[i]
		line("  %6s  %s%s: %s", ago(now, d.At), from(d), d.To, d.Why)
		for _, c := range d.Commands {
			line("          > %s", c)
		}
	}
	if v.Healthy {
		b.WriteString("\nHealthy.\n")
		return b.String()
	}
	b.WriteString("\nNOT HEALTHY\n")
	for _, p := range v.Problems {
		line("  ! %s", p)
	}
	return b.String()
}

func (v *Survey) table(b *strings.Builder, now time.Time) {
	var rows strings.Builder
	w := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  instance\tzone\trole\thealth\tetcd\tlag\taddress\t")
	for i := range v.Members {
		r := &v.Members[i]
		lag := "-"
		if r.Lag != nil {
			lag = fmt.Sprint(*r.Lag)
		}
		mark := " "
		if r.Here {
			mark = "*"
		}
		fmt.Fprintf(w, "%s %s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", mark, clean(cmp.Or(r.Instance, r.ID)), clean(cmp.Or(r.Zone, "-")), r.Role, healthOf(&r.Member, now),
			clean(cmp.Or(r.Version, "-")), lag, clean(r.Address))
	}
	if len(v.Members) == 0 {
		fmt.Fprintln(w, "  no member is known")
	}
	_ = w.Flush() // into a builder
	for row := range strings.Lines(rows.String()) {
		b.WriteString(strings.TrimRight(row, " \n") + "\n")
	}
}

func healthOf(m *Member, now time.Time) string {
	switch {
	case m.Ended:
		return "ENDED"
	case m.Alarm != "":
		return "ALARM"
	case m.Health == states.Yes.String():
		return "healthy"
	case m.Health == states.No.String() && m.Unhealthy != nil:
		return "UNHEALTHY for " + ago(now, *m.Unhealthy)
	case m.Health == states.No.String():
		return "UNHEALTHY"
	default:
		return "not asked"
	}
}

func (v *Survey) groupLine() string {
	g := &v.Here.Group
	if g.Known != "yes" {
		return "not known"
	}
	n := 0
	for i := range g.Instances {
		if g.Instances[i].InGroup {
			n++
		}
	}
	line := fmt.Sprintf("%d of %d instances", n, g.Desired)
	if len(g.Silent) > 0 {
		line += "; AWS does not answer in " + strings.Join(g.Silent, ", ")
	}
	return line
}

func etcdLine(e *Etcd) string {
	s := cmp.Or(e.Running, "not running") + " here"
	if e.Changing {
		s += ", which wants " + e.Wanted
	}
	return s + "; installed: " + strings.Join(e.Installed, " ")
}

func lockLine(u *Upgrade, now time.Time) string {
	var parts []string
	if l := u.Lock; l != nil {
		held := l.Owner
		if l.To != "" {
			held += ", from " + l.From + " to " + l.To
		}
		if l.Since != nil {
			held += ", for " + ago(now, *l.Since)
		}
		parts = append(parts, held)
	} else if u.Known == "yes" {
		parts = append(parts, "free")
	} else {
		parts = append(parts, "not known")
	}
	if h := u.Halted; h != nil {
		parts = append(parts, "HALTED at "+h.Owner+": "+h.Why)
	}
	return strings.Join(parts, "; ")
}

func dnsLine(d DNS) string {
	switch {
	case !d.Configured:
		return "not configured"
	case d.Drift == "no":
		return d.Name + " is right: " + strings.Join(d.Addresses, " ")
	case d.Drift == "yes":
		return d.Name + " is WRONG: " + strings.Join(d.Wrong, ", ")
	case d.Name == "":
		return "not read yet"
	default:
		return d.Name + ", which the leader keeps right"
	}
}

func from(d *Told) string {
	if d.From == d.To {
		return ""
	}
	return string(d.From) + " -> "
}

func parenthesis(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// clean keeps what others have written from moving the cursor of a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
