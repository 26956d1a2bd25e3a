package explore

import (
	"reflect"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// TestWorldIsBytes: the hash reads the world as bytes, which must all be the state's and none of them a pointer.
func TestWorldIsBytes(t *testing.T) {
	if size := reflect.TypeFor[world]().Size(); bytesOf(t, reflect.TypeFor[world]()) != size || size%16 != 0 {
		t.Fatalf("the world has %d bytes, of which %d are its fields': want no padding, and a multiple of 16", size, bytesOf(t, reflect.TypeFor[world]()))
	}
}

func bytesOf(t *testing.T, of reflect.Type) (n uintptr) {
	switch of.Kind() {
	case reflect.Struct:
		for i := range of.NumField() {
			n += bytesOf(t, of.Field(i).Type)
		}
		return n
	case reflect.Array:
		return uintptr(of.Len()) * bytesOf(t, of.Elem())
	case reflect.Bool, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return of.Size()
	default:
		t.Fatalf("the world holds a %s, which cannot be hashed as bytes", of)
		return 0
	}
}

// TestEveryCommandIsKnown: a new command of the rules must be given a meaning here.
func TestEveryCommandIsKnown(t *testing.T) {
	for _, c := range states.Commands() {
		if _, ok := c.(states.PublishDNS); ok || states.LaneOf(c) == states.LaneGroup || states.LaneOf(c) == states.LaneIngress {
			continue // the world of the search has no DNS, its group no hooks, and it is one region
		}
		withAddress(&c)
		if translate(c).kind() == noCommand {
			t.Errorf("%T has no kind", c)
		}
	}
}

// withAddress gives commands that name an instance or a server one that exists.
func withAddress(c *states.Command) {
	switch command := (*c).(type) {
	case states.RemoveMember:
		command.Address = addresses[0]
		*c = command
	case states.StartEtcd:
		command.Minor = minors[minorNew]
		*c = command
	}
}
