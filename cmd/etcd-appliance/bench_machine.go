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

// Fields of /proc/PID/stat as proc_pid_stat(5) counts them, and what they are counted in: USER_HZ is 100 everywhere.
const (
	statUserTime   = 14
	statKernelTime = 15
	statStart      = 22 // since the machine booted
	statTick       = 10 * time.Millisecond
)

// processStat reads fields that count ticks.
func processStat(pid int, numbers ...int) (sum time.Duration, err error) {
	line := firstLine(fmt.Sprintf("/proc/%d/stat", pid))
	// The second field, the name, may contain anything, and ends with the last parenthesis.
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	for _, number := range numbers {
		if len(fields) <= number-3 {
			return 0, fmt.Errorf("no process %d", pid)
		}
		ticks, err := strconv.Atoi(fields[number-3])
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		sum += time.Duration(ticks) * statTick
	}
	return sum, nil
}

// processorTime is what a process has had of the processors so far, in user and kernel mode.
func processorTime(pid int) (time.Duration, error) {
	return processStat(pid, statUserTime, statKernelTime)
}

// startOf is when a process was started, to a few hundredths of a second.
func startOf(pid int) (time.Time, error) {
	started, err := processStat(pid, statStart)
	if err != nil {
		return time.Time{}, err
	}
	up, _, _ := strings.Cut(firstLine("/proc/uptime"), " ")
	seconds, err := strconv.ParseFloat(up, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("/proc/uptime: %w", err)
	}
	return time.Now().Add(started - time.Duration(seconds*float64(time.Second))), nil
}
