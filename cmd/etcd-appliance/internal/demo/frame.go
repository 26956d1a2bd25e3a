package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// frame is what the screen shows now, from top to bottom.
func (p *play) frame(width, height int) []line {
	v, decisions := p.rig.Latest(), p.rig.Decisions()
	airy := height >= 28 // room for empty lines
	lines := []line{headline(p.rig, time.Since(p.begun), width)}
	add := func(more ...line) {
		if airy {
			lines = append(lines, nil)
		}
		lines = append(lines, more...)
	}
	outcomes := p.outcomesNow()
	add(actLines(outcomes, width)...)
	add(instanceLines(v, decisions, width)...)
	add(dnsLine(v, width), writeLine(p.writer.Progress()), waitLine(outcomes))
	room := height - len(lines) - 1
	if airy {
		room--
	}
	add(decisionLines(decisions, p.begun, room)...)
	return lines
}

func headline(r *rig.Rig, since time.Duration, width int) line {
	title, now := "etcd-appliance demo", clock(since)
	where := "  " + r.Name()
	fill := max(1, width-len(title)-len(where)-len(now))
	return line{{bold, title}, {dim, where}, {plain, strings.Repeat(" ", fill) + now}}
}

// actLines show what has been done to the cluster, and how long it took to be whole again.
func actLines(outcomes []outcome, width int) []line {
	const columns = 9 + 9 + 11
	head := max(20, min(54, width-2-columns))
	row := func(title string, cells ...any) string {
		return fmt.Sprintf("%-*s%9s%9s%11s", append([]any{head, title}, cells...)...)
	}
	lines := []line{{{dim, "  " + row("act", "healthy", "DNS", "write gap")}}}
	for _, o := range outcomes {
		switch {
		case o.over:
			lines = append(lines, line{{good, "✓ "}, {plain, row(o.title, seconds(o.healthy), seconds(o.right), gap(o.written.Lap))}})
		case o.begun.IsZero():
			lines = append(lines, line{{dim, "  " + o.title}})
		default:
			lines = append(lines, line{{busy, "▸ "}, {bold, fmt.Sprintf("%-*s", head, o.title)}, {busy, fmt.Sprintf("%9s", seconds(time.Since(o.begun)))}})
		}
	}
	return lines
}

// waitLine tells what the act that is under way still waits for.
func waitLine(outcomes []outcome) line {
	for _, o := range outcomes {
		if !o.begun.IsZero() && !o.over {
			return line{{dim, "  waits   "}, {busy, o.wrong}}
		}
	}
	return line{{dim, "  waits   "}, {dim, "-"}}
}

// wide is from where on there is room for what is only nice to know.
const wide = 92

// instanceLines show each instance with its daemon and its etcd.
func instanceLines(v *rig.View, decisions []rig.Decision, width int) []line {
	idWidth := 10
	if width >= wide {
		idWidth = 19
	}
	state := map[string]string{}
	for _, d := range decisions {
		state[d.Instance] = d.To
	}
	row := func(cells ...any) string {
		return fmt.Sprintf("  %-*.*s  %-15s  %-13s  %-19s  ", append([]any{idWidth, idWidth}, cells...)...)
	}
	lines := []line{{{dim, row("instance", "address", "EC2", "daemon") + "etcd"}}}
	for _, i := range v.Instances {
		switch i.State {
		case "terminated":
		case "running":
			what, look := role(i.Etcd)
			l := line{{plain, row(i.ID, i.Address, i.State, state[i.ID])}, {look, fmt.Sprintf("%-10s", what)}}
			if width >= wide {
				l = append(l, piece{plain, i.Etcd.Version})
			}
			lines = append(lines, l)
		default:
			lines = append(lines, line{{dim, row(i.ID, i.Address, i.State, "")}})
		}
	}
	return lines
}

// role is what a server is in its cluster.
func role(e rig.Etcd) (string, style) {
	switch {
	case e.ClusterID == 0:
		return "-", dim
	case e.Learner:
		return "learner", busy
	case e.Err != nil || e.Leader == 0:
		return "starting", busy
	case e.Leader == e.MemberID:
		return "leader", bold
	}
	return "follower", plain
}

// dnsLine shows what is published, the addresses shortened to where they differ.
func dnsLine(v *rig.View, width int) line {
	if len(v.DNS.A) == 0 {
		return line{{dim, "  DNS     "}, {plain, "nothing published"}}
	}
	var addresses []string
	for n, a := range v.DNS.A {
		if n > 0 {
			a = a[strings.LastIndex(a, "."):]
		}
		addresses = append(addresses, a)
	}
	srv := "SRV server %d, client %d, etcd %d"
	if width < wide {
		srv = "SRV %d, %d, %d"
	}
	srv = fmt.Sprintf(srv, len(v.DNS.SRV["_etcd-server"]), len(v.DNS.SRV["_etcd-client"]), len(v.DNS.SRV["_etcd"]))
	look := plain
	if v.DNSRight() != nil {
		look = busy
	}
	return line{{dim, "  DNS     "}, {look, "A " + strings.Join(addresses, " ") + "   " + srv}, {plain, "   claim " + v.Claim.State}}
}

func writeLine(p rig.Progress) line {
	text := fmt.Sprintf("%d keys acknowledged   longest gap %s", p.Acked, gap(p.Longest))
	if p.Failed > 0 {
		text += fmt.Sprintf("   retries %d", p.Failed)
	}
	return line{{dim, "  client  "}, {plain, text}}
}

// decisionLines show the latest decisions, as many as there is room for.
func decisionLines(decisions []rig.Decision, begun time.Time, room int) []line {
	lines := []line{{{dim, "  decisions"}}}
	for _, d := range decisions[max(0, len(decisions)-max(0, room)):] {
		lines = append(lines, line{{dim, "  " + clock(d.At.Sub(begun)) + "  "}, {plain, decisionText(d)}})
	}
	return lines
}
