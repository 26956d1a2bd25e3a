package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// cache keeps outcomes by what they depend on, so that an interrupted run goes on where it was, and a change of the tests asks
// only the layer of those tests again.
type cache struct {
	mu    sync.Mutex
	known map[string]outcome
	out   *os.File
}

type cached struct {
	Key string `json:"key"`
	outcome
}

func openCache(path string) (*cache, error) {
	c := &cache{known: map[string]outcome{}}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	var err error
	if c.out, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(c.out); lines.Scan(); {
		var one cached
		if json.Unmarshal(lines.Bytes(), &one) == nil { // the last line may be half
			c.known[one.Key] = one.outcome
		}
	}
	return c, nil
}

func (c *cache) get(key string) (outcome, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, ok := c.known[key]
	return o, ok
}

func (c *cache) put(key string, o outcome) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[key] = o
	line, err := json.Marshal(cached{key, o})
	if err != nil {
		return err
	}
	_, err = c.out.Write(append(line, '\n'))
	return err
}

// hashOf is the hash of files below some folders.
func hashOf(root string, folders []string, wanted func(path string) bool) (string, error) {
	h := sha256.New()
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !wanted(path) {
				return err
			}
			text, err := os.ReadFile(path)
			h.Write([]byte(path[len(root):] + "\n"))
			h.Write(text)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func isTest(path string) bool {
	return strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/testdata/")
}

// key names a question: the layer and what it runs, and the mutant as it is. How many seeds are run is not part of it: whoever
// asks for more of them goes on behind the last.
func key(judge string, y layer, mutants ...*mutant) string {
	h := sha256.New()
	_ = json.NewEncoder(h).Encode([]any{judge, y.name, y.steps})
	for _, m := range mutants {
		for _, e := range m.edits {
			_ = json.NewEncoder(h).Encode([]any{e.file.path, e.begin, e.end, e.text})
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}
