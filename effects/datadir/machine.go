package datadir

import (
	"os"
	"strings"
)

// machine is what the machine itself tells of who it is, without a question to anybody.
type machine struct {
	boot  string // drawn by the kernel at every boot (random(4), boot_id); no disk brings it along
	board string // the instance ID on an instance of the Nitro system (EC2 User Guide, "Detect whether a host is an EC2 instance")
}

func thisMachine() machine {
	return machine{boot: line("/proc/sys/kernel/random/boot_id"), board: line("/sys/devices/virtual/dmi/id/board_asset_tag")}
}

// wrote tells whether this machine wrote the record, and did not get it with a disk of another. The board only ever says yes: a
// daemon whose metadata service is not the machine's own (a test's) goes by another instance ID.
func (m machine) wrote(rec record) bool {
	return rec.Name != "" && (m.board == rec.Name || m.boot != "" && m.boot == rec.Boot)
}

// line reads a file of one line; one that cannot be read says nothing.
func line(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
