package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/etcd-appliance/etcd-appliance/states"
)

const (
	recordName   = "appliance.json"
	recordFormat = 1
)

// errDamaged marks a record that was read and makes no sense; it may be replaced.
var errDamaged = errors.New("the record beside the data is damaged")

// record is the file beside the data.
type record struct {
	Format  int    `json:"format"`
	Name    string `json:"name"`
	Address string `json:"address"`
	Minor   string `json:"minor"` // of the server that last ran
	Joined  bool   `json:"joined"`
	Fresh   bool   `json:"fresh,omitempty"`    // the last start was on an empty directory
	Token   string `json:"token,omitempty"`    // --initial-cluster-token
	PeerTLS bool   `json:"peer_tls,omitempty"` // its peer URL is https
	Boot    string `json:"boot,omitempty"`     // of the machine, in which it was last started
}

func (r record) minor() states.MinorVersion {
	v, err := states.ParseVersion(r.Minor)
	if err != nil {
		return states.MinorVersion{}
	}
	return v.MinorOf()
}

// readRecord gives the zero record when there is none, and with an error when it cannot be read.
func (d *Dir) readRecord() (record, error) { return readRecordOf(d.root) }

func readRecordOf(dir string) (record, error) {
	path := filepath.Join(dir, recordName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return record{}, fmt.Errorf("the record beside the data cannot be read: %w", explain(err))
	}
	var rec record
	if err := json.Unmarshal(data, &rec); err != nil {
		return record{}, fmt.Errorf("%w: %s: %w", errDamaged, path, err)
	}
	if rec.Format != recordFormat {
		return record{}, fmt.Errorf("%w: %s has format %d; this daemon knows format %d", errDamaged, path, rec.Format, recordFormat)
	}
	return rec, nil
}

func (d *Dir) writeRecord(rec record) error {
	rec.Format = recordFormat
	data, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(d.root, recordName), append(data, '\n'))
}

// WriteFile replaces a file, readable by its owner only, so that after a crash or a power loss the old content or the new one
// is there and never a part: rename is atomic, and the fsyncs keep it from overtaking the data or being forgotten (ext4 and
// xfs promise neither without them).
func WriteFile(path string, data []byte) error {
	if err := replace(path, data); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, explain(err))
	}
	return nil
}

func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
