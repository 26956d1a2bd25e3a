package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// scene is all that a frame shows.
type scene struct {
	name      string // of the cluster
	since     time.Duration
	outcomes  []outcome
	view      *observer.View
	written   rig.Progress
	decisions []rig.Decision
	begun     time.Time
}

func (p *play) scene() *scene {
	return &scene{
		name: p.rig.Name(), since: time.Since(p.begun), outcomes: p.outcomesNow(), view: p.rig.Latest(),
		written: p.writer.Progress(), decisions: p.rig.Decisions(), begun: p.begun,
	}
}

// frame is what the screen shows, from top to bottom.
func (s *scene) frame(width, height int) []line {
	airy := height >= 28 // room for empty lines
	lines := []line{s.headline(width)}
	add := func(more []line) {
		if airy {
			lines = append(lines, nil)
		}
		lines = append(lines, more...)
	}
	add(s.acts(width))
	add(s.instances(width))
	add([]line{s.dns(width), s.client(), s.waits()})
	room := height - len(lines) - 1
	if airy {
		room--
	}
	add(s.latest(room))
	return lines
}

func (s *scene) headline(width int) line {
	title, where, now := "etcd-appliance demo", "  "+s.name, clock(s.since)
	fill := max(1, width-len(title)-len(where)-len(now))
	return line{{bold, title}, {dim, where}, {plain, strings.Repeat(" ", fill) + now}}
}

// acts show what has been done to the cluster, and how long it took to be whole again.
func (s *scene) acts(width int) []line {
	const columns = 9 + 9 + 11
	head := max(20, min(54, width-2-columns))
	row := func(title string, cells ...any) string {
		return fmt.Sprintf("%-*s%9s%9s%11s", append([]any{head, title}, cells...)...)
	}
	lines := []line{{{dim, "  " + row("act", "healthy", "DNS", "write gap")}}}
	for _, o := range s.outcomes {
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

// waits tells what the act that is under way still waits for.
func (s *scene) waits() line {
	for _, o := range s.outcomes {
		if !o.begun.IsZero() && !o.over {
			return line{{dim, "  waits   "}, {busy, o.wrong}}
		}
	}
	return line{{dim, "  waits   "}, {dim, "-"}}
}

// wide is from where on there is room for what is only nice to know.
const wide = 92

// instances show each instance with its daemon and its etcd.
func (s *scene) instances(width int) []line {
	idWidth := 10
	if width >= wide {
		idWidth = 19
	}
	state := map[string]string{}
	for _, d := range s.decisions {
		state[d.Instance] = d.To
	}
	row := func(cells ...any) string {
		return fmt.Sprintf("  %-*.*s  %-15s  %-13s  %-19s  ", append([]any{idWidth, idWidth}, cells...)...)
	}
	lines := []line{{{dim, row("instance", "address", "EC2", "daemon") + "etcd"}}}
	for _, i := range s.view.Instances {
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
func role(e observer.Etcd) (string, style) {
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

// dns shows what is published, the addresses shortened to where they differ.
func (s *scene) dns(width int) line {
	v := s.view
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

// client shows how far the writer has come.
func (s *scene) client() line {
	p := s.written
	text := fmt.Sprintf("%d keys acknowledged   longest gap %s", p.Acked, gap(p.Longest))
	if p.Failed > 0 {
		text += fmt.Sprintf("   retries %d", p.Failed)
	}
	return line{{dim, "  client  "}, {plain, text}}
}

// latest shows the last decisions, as many as there is room for.
func (s *scene) latest(room int) []line {
	lines := []line{{{dim, "  decisions"}}}
	for _, d := range s.decisions[max(0, len(s.decisions)-max(0, room)):] {
		lines = append(lines, line{{dim, "  " + clock(d.At.Sub(s.begun)) + "  "}, {plain, decisionText(d)}})
	}
	return lines
}
