package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// thisMachine describes it in a line.
func thisMachine() string {
	return fmt.Sprintf("%d cores (%s), %.1f GiB of memory, Linux %s, %s; load average before: %s", runtime.NumCPU(),
		field("/proc/cpuinfo", "model name"), kibibytes(field("/proc/meminfo", "MemTotal"))/(1<<30), firstLine("/proc/sys/kernel/osrelease"),
		runtime.Version(), loadAverage())
}

// loadAverage is how many processes were ready to run, over 1, 5 and 15 minutes.
func loadAverage() string {
	words := strings.Fields(firstLine("/proc/loadavg"))
	return strings.Join(words[:min(3, len(words))], " ")
}

func firstLine(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}

// field finds "name : value" in a file of /proc.
func field(file, name string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// kibibytes reads "1234 kB" into bytes.
func kibibytes(s string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, " kB"), 64)
	if err != nil {
		return 0
	}
	return n * 1024
}

// processMemory is what a process holds in memory, in bytes.
type processMemory struct {
	resident  float64
	anonymous float64 // the part that is not the program itself, which the kernel can drop and read again
}

func memoryOf(pid int) (processMemory, error) {
	file := fmt.Sprintf("/proc/%d/status", pid)
	m := processMemory{kibibytes(field(file, "VmRSS")), kibibytes(field(file, "RssAnon"))}
	if m.resident == 0 {
		return m, fmt.Errorf("no memory in %s", file)
	}
	return m, nil
}

// processorTime is what a process has had of the processors so far, in user and kernel mode.
func processorTime(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the name, may contain anything, and ends with the last parenthesis.
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	const utime, stime = 14 - 3, 15 - 3 // as proc_pid_stat(5) counts them
	const tick = 10 * time.Millisecond  // USER_HZ is 100 everywhere
	if len(fields) <= stime {
		return 0, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	var ticks int
	for _, f := range []string{fields[utime], fields[stime]} {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
