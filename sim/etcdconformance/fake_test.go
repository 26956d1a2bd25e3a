package etcdconformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// fake is a stage in virtual time.
type fake struct {
	world     *etcdfake.World
	clock     time.Time
	runs      states.MinorVersion
	addresses func(n int) string // 10.0.0.n when nil
}

func newFake(minor states.MinorVersion, snapshots uint64) *fake {
	f := &fake{clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), runs: minor}
	f.world = etcdfake.New(etcdfake.Options{Now: f.now, SnapshotCount: snapshots})
	for n := range 10 {
		f.node(n)
	}
	return f
}

func (f *fake) node(n int) *etcdfake.Node {
	return f.world.Node(fmt.Sprintf("n%d", n), f.address(n))
}

func (f *fake) minor() states.MinorVersion    { return f.runs }
func (f *fake) process(n int) effects.Process { return f.node(n).Process() }
func (f *fake) disk(n int) effects.Disk       { return f.node(n).Disk() }
func (f *fake) peers() effects.Peers          { return f.node(99).Peers() }
func (f *fake) kill(n int)                    { f.world.Crash(f.node(n).ID) }
func (f *fake) hang(n int, hang bool)         { f.world.Hang(f.node(n).ID, hang) }
func (f *fake) stall(n int, on bool)          { f.world.StallDisk(f.node(n).ID, on) }
func (f *fake) lose(n int)                    { f.world.LoseDisk(f.node(n).ID) }
func (f *fake) now() time.Time                { return f.clock }

func (f *fake) etcd() effects.Etcd {
	return &effects.Choice{V2: f.node(99).EtcdV2(), V3: f.node(99).Etcd(), Level: f.node(99).Level}
}

func (f *fake) address(n int) string {
	if f.addresses != nil {
		return f.addresses(n)
	}
	return fmt.Sprintf("10.0.0.%d", n)
}

func (f *fake) pass(d time.Duration) {
	for end := f.clock.Add(d); ; f.world.Advance() {
		next, ok := f.world.NextEvent()
		if !ok || next.After(end) {
			f.clock = end
			return
		}
		f.clock = next
	}
}

func TestFake(t *testing.T) {
	for _, minor := range minors {
		for _, c := range cases {
			if c.on(minor) {
				t.Run(minor.String()+"/"+c.name, func(t *testing.T) {
					if diff := c.differs(t, newFake(minor, c.snapshots)); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}
