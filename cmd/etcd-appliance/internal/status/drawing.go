package status

import (
	"fmt"
	"math"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// The picture of the states is laid out by hand and its arrows are drawn from the table that the daemon runs. That any state can be
// left for Leaving is one arrow from the frame around them, as in Harel's statecharts: six more would cross all others.

type point struct{ X, Y float64 }

const (
	boxWidth, boxHeight = 150, 36
	apart               = 7 // between the two arrows of a pair of states, half of it
)

// places are the middles of the boxes. A state that is not here is not drawn, which a test does not permit.
var places = map[states.State]point{
	states.Discovering:         {195, 56},
	states.Bootstrapping:       {100, 138},
	states.Joining:             {290, 138},
	states.Running:             {195, 220},
	states.LeadingHousekeeping: {100, 302},
	states.Upgrading:           {290, 302},
	states.Leaving:             {195, 408},
}

// detours are the arrows that would lead through a box.
var detours = map[[2]states.State]string{
	{states.Upgrading, states.Discovering}: "M365,302 Q384,302 384,282 V76 Q384,56 364,56 H270",
}

// box is a state in the picture.
type box struct {
	Left, Top, X, Y float64
	State           states.State
	Current         bool
}

// arrow is a way from one state to another, for whatever events.
type arrow struct {
	Path  string
	Title string
	Taken bool // by the last change of state
}

// drawing is the picture of a daemon in a state that it came to over some edges.
type drawing struct {
	Boxes  []box
	Arrows []arrow
	Leaves bool // the arrow to Leaving was taken
}

func draw(current states.State, taken []states.Edge) drawing {
	var d drawing
	for _, s := range states.States() {
		p := places[s]
		d.Boxes = append(d.Boxes, box{p.X - boxWidth/2, p.Y - boxHeight/2, p.X, p.Y, s, s == current})
	}
	at := map[[2]states.State]int{}
	for _, e := range table {
		if e.To == states.Leaving {
			continue
		}
		way := [2]states.State{e.From, e.To}
		i, ok := at[way]
		if !ok {
			i = len(d.Arrows)
			at[way] = i
			d.Arrows = append(d.Arrows, arrow{Path: route(way), Title: fmt.Sprintf("%s to %s: %s", e.From, e.To, e.On)})
		} else {
			d.Arrows[i].Title += ", " + string(e.On)
		}
	}
	for _, e := range taken {
		if e.To == states.Leaving {
			d.Leaves = true
		} else if i, ok := at[[2]states.State{e.From, e.To}]; ok {
			d.Arrows[i].Taken = true
		}
	}
	return d
}

// route is a straight line from box to box, a little to its right hand, so that the way back has its own.
func route(way [2]states.State) string {
	if path, ok := detours[way]; ok {
		return path
	}
	from, to := places[way[0]], places[way[1]]
	length := math.Hypot(to.X-from.X, to.Y-from.Y)
	along := point{(to.X - from.X) / length, (to.Y - from.Y) / length}
	aside := point{-along.Y * apart, along.X * apart}
	begin := leave(from, aside, along)
	end := leave(to, aside, point{-along.X, -along.Y})
	return fmt.Sprintf("M%.1f,%.1f L%.1f,%.1f", begin.X, begin.Y, end.X, end.Y)
}

// leave is where a line that begins aside of the middle of a box crosses its border.
func leave(middle, aside, along point) point {
	far := math.Min(reach(boxWidth/2, aside.X, along.X), reach(boxHeight/2, aside.Y, along.Y))
	return point{middle.X + aside.X + along.X*far, middle.Y + aside.Y + along.Y*far}
}

// reach is how far a line goes until it is half a side away from the middle, in one dimension.
func reach(half, begin, step float64) float64 {
	switch {
	case step > 1e-9:
		return (half - begin) / step
	case step < -1e-9:
		return (half + begin) / -step
	default:
		return math.Inf(1)
	}
}
