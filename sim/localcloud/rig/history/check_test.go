package history

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// The checker rejects histories that no register has, and only those.
func TestCheck(t *testing.T) {
	op := func(client int, from, to time.Duration, o operation) *operation {
		o.client, o.called, o.ended = client, from, to
		if o.key == "" {
			o.key = "a"
		}
		return &o
	}
	gets := func(v int) operation { return operation{kind: get, seen: v} }
	puts := func(v int) operation { return operation{kind: put, to: v} }
	swaps := func(from, to int) operation { return operation{kind: swap, from: from, to: to} }
	refused := func(from, to, is int) operation {
		return operation{kind: swap, from: from, to: to, refused: true, seen: is}
	}
	unknown := func(o operation) operation { o.unknown = true; return o }
	other := func(o operation) operation { o.key = "b"; return o }
	for _, tt := range []struct {
		name    string
		history []*operation
		wrong   string
	}{
		{"empty", nil, ""},
		{"one after the other", []*operation{op(0, 1, 2, gets(absent)), op(0, 3, 4, puts(1)), op(1, 5, 6, gets(1)), op(1, 7, 8, swaps(1, 2)), op(0, 9, 10, refused(1, 3, 2)), op(0, 11, 12, gets(2))}, ""},
		{"stale read", []*operation{op(0, 1, 2, puts(1)), op(0, 3, 4, puts(2)), op(1, 5, 6, gets(1))}, "client 1, 5ns to 6ns: get a = 1"},
		{"old value while the write is under way", []*operation{op(0, 1, 2, puts(1)), op(0, 3, 8, puts(2)), op(1, 4, 5, gets(1)), op(1, 6, 7, gets(2))}, ""},
		{"new value and then the old one", []*operation{op(0, 1, 2, puts(1)), op(0, 3, 8, puts(2)), op(1, 4, 5, gets(2)), op(1, 6, 7, gets(1))}, "get a = 1"},
		{"acknowledged write is lost", []*operation{op(0, 1, 2, puts(1)), op(1, 3, 4, gets(absent))}, "get a = 0"},
		{"value from nowhere", []*operation{op(0, 1, 2, puts(1)), op(1, 3, 4, gets(7))}, "get a = 7"},
		{"value from the future", []*operation{op(1, 1, 2, gets(1)), op(0, 3, 4, puts(1))}, "get a = 1"},
		{"two swaps of one value", []*operation{op(0, 1, 2, puts(1)), op(0, 3, 6, swaps(1, 2)), op(1, 3, 6, swaps(1, 3))}, "swap a from 1"},
		{"swap refused without reason", []*operation{op(0, 1, 2, puts(1)), op(1, 3, 4, refused(1, 2, 1))}, "refused"},
		{"swap refused by an old value", []*operation{op(0, 1, 2, puts(1)), op(0, 3, 4, puts(2)), op(1, 5, 6, refused(2, 3, 1))}, "refused: it is 1"},
		{"unknown put is seen later", []*operation{op(0, 1, 2, unknown(puts(1))), op(1, 3, 4, gets(absent)), op(1, 8, 9, gets(1))}, ""},
		{"unknown put is never seen", []*operation{op(0, 1, 2, unknown(puts(1))), op(1, 3, 4, gets(absent))}, ""},
		{"unknown put is seen, and then not", []*operation{op(0, 1, 2, unknown(puts(1))), op(1, 3, 4, gets(1)), op(1, 5, 6, gets(absent))}, "get a = 0"},
		{"unknown put is seen twice, with another write between", []*operation{op(0, 1, 2, unknown(puts(1))), op(1, 3, 4, gets(1)), op(1, 5, 6, puts(2)), op(1, 7, 8, gets(1))}, "get a = 1"},
		{"unknown put is seen before it was called", []*operation{op(1, 1, 2, gets(1)), op(0, 3, 4, unknown(puts(1)))}, "get a = 1"},
		{"unknown swap took place", []*operation{op(0, 1, 2, puts(1)), op(0, 3, 4, unknown(swaps(1, 2))), op(1, 5, 6, gets(2))}, ""},
		{"unknown swap did not", []*operation{op(0, 1, 2, puts(1)), op(0, 3, 4, unknown(swaps(1, 2))), op(1, 5, 6, gets(1))}, ""},
		{"unknown swap of what was not there", []*operation{op(0, 1, 2, puts(1)), op(0, 3, 4, unknown(swaps(5, 2))), op(1, 5, 6, gets(2))}, "get a = 2"},
		{"unknown get tells nothing", []*operation{op(0, 1, 2, puts(1)), op(1, 3, 4, unknown(gets(absent)))}, ""},
		{"keys do not matter to each other", []*operation{op(0, 1, 2, puts(1)), op(1, 3, 4, other(gets(absent)))}, ""},
		{"the second key is stale", []*operation{op(0, 1, 2, puts(1)), op(0, 1, 2, other(puts(2))), op(1, 3, 4, gets(1)), op(1, 5, 6, other(gets(absent)))}, "get b = 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := check(tt.history)
			switch {
			case tt.wrong == "" && err != nil:
				t.Error(err)
			case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
}

// Histories of a register, made with chance and with the outcome of some writes forgotten, are accepted; one read of an older value
// in the middle is found. It takes no longer than a test may.
func TestCheckLong(t *testing.T) {
	history := registered(rand.New(rand.NewPCG(7, 7)), 8000)
	if err := check(history); err != nil {
		t.Fatal(err)
	}
	for n := len(history) / 2; ; n++ {
		if o := history[n]; o.kind == get && !o.unknown && o.seen > 100 {
			o.seen = history[n].seen - 100
			break
		}
	}
	if err := check(history); err == nil {
		t.Error("a read of an older value is not found")
	}
}

// registered is what the clients of a register see that does everything at a moment between call and end.
func registered(chance *rand.Rand, n int) (list []*operation) {
	value, written, free := map[string]int{}, 0, [clients]time.Duration{}
	now := time.Duration(0)
	for range n {
		client := chance.IntN(clients)
		now = max(now, free[client]) + 1 // the moment
		o := &operation{client: client, kind: []kind{get, put, swap}[chance.IntN(3)], key: string(rune('a' + chance.IntN(keys)))}
		o.called = max(free[client], now-time.Duration(chance.IntN(20)))
		o.ended = now + time.Duration(chance.IntN(20))
		free[client] = o.ended + 1
		if o.kind != get {
			written++
			o.to = written
		}
		is := value[o.key]
		switch {
		case o.kind == get:
			o.seen = is
		case o.kind == swap && chance.IntN(2) == 0:
			o.from, o.seen, o.refused = -1, is, true
		default:
			o.from = is
			value[o.key] = o.to
		}
		if o.unknown = chance.IntN(100) == 0; o.unknown && o.kind == swap {
			o.refused = false
		}
		list = append(list, o)
	}
	return list
}
