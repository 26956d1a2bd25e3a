package history

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// kind is what an operation does to its key.
type kind string

const (
	get  kind = "get"
	put  kind = "put"
	swap kind = "swap" // puts only if the key holds a certain value, and reads it if it does not
)

// absent is the value of a key that nobody has written yet. No two writes have the same value.
const absent = 0

// operation is one that a client has called.
type operation struct {
	client        int
	kind          kind
	key           string
	from, to      int // from is what a swap expects
	called, ended time.Duration
	unknown       bool // nothing tells whether it took place
	refused       bool // a swap found another value
	seen          int  // what a get or a refused swap has read
}

func (o *operation) String() string {
	what := fmt.Sprintf("%s %s", o.kind, o.key)
	switch {
	case o.kind == get:
		what += fmt.Sprintf(" = %d", o.seen)
	case o.kind == put:
		what += fmt.Sprintf(" to %d", o.to)
	default:
		what += fmt.Sprintf(" from %d to %d", o.from, o.to)
	}
	switch {
	case o.unknown:
		what += ", outcome unknown"
	case o.refused:
		what += fmt.Sprintf(", refused: it is %d", o.seen)
	}
	return fmt.Sprintf("client %d, %s to %s: %s", o.client, o.called, o.ended, what)
}

// read is what the operation proves that its key held; false if it proves nothing.
func (o *operation) read() (value int, proves bool) {
	switch {
	case o.unknown || o.kind == put:
		return 0, false
	case o.kind == swap && !o.refused:
		return o.from, true
	}
	return o.seen, true
}

// step applies an operation to the value of its key, and tells whether what the client was told is what that gives.
// A swap of which nothing is known takes place if it can: one that never arrived counts as one that arrived after everything.
func step(value int, o *operation) (possible bool, next int) {
	if read, proves := o.read(); proves && read != value {
		return false, value
	}
	switch {
	case o.kind == get || o.refused:
		return !o.refused || value != o.from, value
	case o.kind == swap && value != o.from:
		return true, value // unknown, or the check above had refused it
	}
	return true, o.to
}

// model is a key. Keys have nothing to do with one another, so each has a history of its own.
var model = porcupine.Model{
	Init: func() any { return absent },
	Step: func(state, in, _ any) (bool, any) {
		possible, next := step(state.(int), in.(*operation))
		return possible, next
	},
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		at := map[string]int{}
		for _, o := range history {
			key := o.Input.(*operation).key
			if _, ok := at[key]; !ok {
				at[key] = len(parts)
				parts = append(parts, nil)
			}
			parts[at[key]] = append(parts[at[key]], o)
		}
		return parts
	},
}

// checkPatience is how long the check may take. It is exponential in how many operations are under way at a time.
const checkPatience = time.Minute

// check tells whether there is an order of the operations, each between its call and its end, in which everybody was told the truth.
func check(history []*operation) error {
	prepared := prepare(history)
	verdict, info := porcupine.CheckOperationsVerbose(model, prepared, checkPatience)
	switch verdict {
	case porcupine.Ok:
		return nil
	case porcupine.Illegal:
		return fmt.Errorf("the history is not linearizable: %w", stuck(prepared, &info))
	default:
		return fmt.Errorf("whether %d operations are linearizable was not found out within %s", len(history), checkPatience)
	}
}

// prepare decides what to do with operations of unknown outcome. A get tells nothing. A write may take place as late as never,
// which is what an endless operation is; but one whose value was read had taken place by then, and one whose value nobody has read
// explains nothing (swaps that are refused read too). That leaves few that last for ever, each of which doubles the work.
func prepare(history []*operation) (list []porcupine.Operation) {
	seen := map[int]time.Duration{} // by value: when it had been read, at the latest
	for _, o := range history {
		if value, proves := o.read(); proves {
			if at, ok := seen[value]; !ok || o.ended < at {
				seen[value] = o.ended
			}
		}
	}
	for _, o := range history {
		end := o.ended
		if o.unknown {
			at, ok := seen[o.to]
			if o.kind == get || !ok {
				continue
			}
			end = at
			if at < o.called {
				end = math.MaxInt64 // read before it was written: the check will say so
			}
		}
		list = append(list, porcupine.Operation{ClientId: o.client, Input: o, Call: int64(o.called), Return: int64(end)})
	}
	return list
}

// stuck names the first operation that fits nowhere into the longest order that was found, and what that order ends with.
func stuck(history []porcupine.Operation, info *porcupine.LinearizationInfo) error {
	orders := info.PartialLinearizationsOperations()
	for n, part := range model.Partition(history) {
		var longest []porcupine.Operation
		for _, order := range orders[n] {
			if len(order) > len(longest) {
				longest = order
			}
		}
		placed, end := map[*operation]bool{}, "nothing"
		for _, o := range longest {
			placed[o.Input.(*operation)], end = true, fmt.Sprint(o.Input)
		}
		var first *operation
		for _, p := range part {
			if o := p.Input.(*operation); !placed[o] && !o.unknown && (first == nil || o.ended < first.ended) {
				first = o
			}
		}
		if first != nil {
			return fmt.Errorf("%s\nafter %s", first, end)
		}
	}
	return errors.New("some write of unknown outcome fits nowhere")
}
