package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// benchLaps are all laps so far, by operation.
type benchLaps struct {
	daemon, floor map[string][]lap
}

func (b *benchLaps) add(operation string, daemon bool, l lap) {
	if b.daemon == nil {
		b.daemon, b.floor = map[string][]lap{}, map[string][]lap{}
	}
	to := b.floor
	if daemon {
		to = b.daemon
	}
	to[operation] = append(to[operation], l)
}

// spread sums up durations.
type spread struct{ median, min, max time.Duration }

func spreadOf(laps []lap, of func(lap) time.Duration) spread {
	var list []time.Duration
	for _, l := range laps {
		list = append(list, of(l))
	}
	return spreadOver(list)
}

func spreadOver(list []time.Duration) spread {
	if len(list) == 0 {
		return spread{}
	}
	list = slices.Sorted(slices.Values(list))
	half := len(list) / 2
	median := list[half]
	if len(list)%2 == 0 {
		median = (list[half-1] + list[half]) / 2
	}
	return spread{median, list[0], list[len(list)-1]}
}

func (s spread) String() string {
	return fmt.Sprintf("%s (%s to %s)", seconds(s.median), seconds(s.min), seconds(s.max))
}

func untilStarted(l lap) time.Duration    { return l.started }
func untilHealthy(l lap) time.Duration    { return l.healthy }
func untilDNS(l lap) time.Duration        { return l.dns }
func fromHealthToDNS(l lap) time.Duration { return l.dns - l.healthy }

// inMilliseconds is for what is shorter than a second.
func (s spread) inMilliseconds() string {
	return fmt.Sprintf("%d ms (%d ms to %d ms)", s.median.Milliseconds(), s.min.Milliseconds(), s.max.Milliseconds())
}

// inTenths is for what may be shorter than a millisecond.
func (s spread) inTenths() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	return fmt.Sprintf("%s (%s to %s)", ms(s.median), ms(s.min), ms(s.max))
}

// Hundredths are what the measurement is good for; rounded first, so that nothing is "-0.00".
func seconds(d time.Duration) string {
	return fmt.Sprintf("%.2f s", d.Round(10*time.Millisecond).Seconds())
}

func signedSeconds(d time.Duration) string {
	return fmt.Sprintf("%+.2f s", d.Round(10*time.Millisecond).Seconds())
}

// goals counts those that are met, and keeps the others.
type goals struct {
	met    int
	missed []string
}

// String sums up.
func (g *goals) String() string {
	if len(g.missed) == 0 {
		return fmt.Sprintf("Goals met: %d of %d.", g.met, g.met)
	}
	return fmt.Sprintf("Goals met: %d of %d. Missed: %s.", g.met, g.met+len(g.missed), strings.Join(g.missed, "; "))
}

// judge gives the word for the table.
func (g *goals) judge(met bool, what string) string {
	if met {
		g.met++
		return "met"
	}
	g.missed = append(g.missed, what)
	return "**missed**"
}
