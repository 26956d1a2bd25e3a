package preflight

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// errNoSnapshot says why there was nothing to look into.
var errNoSnapshot = errors.New("no data of a member is on this machine")

// v2Data looks for keys of the v2 store in the newest snapshot of a data directory, as 3.6 does when it starts
// (server/storage/util.go AssertNoV2StoreContent). What the log has since is not looked at.
func v2Data(dir string) (states.Fact, error) {
	files, err := filepath.Glob(filepath.Join(dir, "member", "snap", "*.snap"))
	if err != nil || len(files) == 0 {
		return states.Unknown, errNoSnapshot
	}
	raw, err := os.ReadFile(slices.Max(files)) // TERM-INDEX.snap, both with leading zeros
	if err != nil {
		return states.Unknown, err
	}
	// snappb.Snapshot{crc = 1, data = 2} around raftpb.Snapshot{data = 1, metadata = 2}, whose data is the v2 store as JSON.
	outer, ok := field(raw, 2)
	store, has := field(outer, 1)
	if !ok || !has {
		return states.Unknown, fmt.Errorf("%s cannot be read", slices.Max(files))
	}
	var v2 struct {
		Root struct {
			Children map[string]struct{ Children map[string]json.RawMessage }
		}
	}
	if err := json.Unmarshal(store, &v2); err != nil {
		return states.Unknown, fmt.Errorf("%s: %w", slices.Max(files), err)
	}
	// "0" is etcd's own: members and the version; "1" is what clients have written.
	return states.Is(len(v2.Root.Children["1"].Children) > 0), nil
}

// field finds a field of bytes in a protobuf message.
func field(message []byte, number uint64) ([]byte, bool) {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return nil, false
		}
		message = message[n:]
		value, n := binary.Uvarint(message) // of a number, or the length of bytes
		if n <= 0 {
			return nil, false
		}
		message = message[n:]
		switch tag & 7 {
		case 0:
		case 2:
			if value > uint64(len(message)) {
				return nil, false
			}
			if tag>>3 == number {
				return message[:value], true
			}
			message = message[value:]
		default:
			return nil, false
		}
	}
	return nil, false
}
