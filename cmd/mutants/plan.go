package main

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// options say which mutants are made, and how they are judged.
type options struct {
	root, dir  string
	only       string
	shard      string
	sample     int
	layers     string
	seeds      int
	workers    int
	json       string
	report     string
	automatic  bool
	planted    bool
	part, of   int
	made       int // how many automatic mutants there are
	equivalent *equivalents
}

// targets are the packages that automatic mutants are made of.
var targets = []struct {
	pkg       string
	functions []string // nil: all
}{{"states", nil}, {"effects", decides}}

// plan gives the mutants to be judged, and the known bugs that cannot be planted.
func (o *options) plan() ([]*mutant, []absent, error) {
	var all []*mutant
	var left []absent
	var wrong error
	if o.planted {
		for _, p := range []struct{ file, kind string }{{"bugs.txt", "bug"}, {"fakes.txt", "fake"}, {"oracles.txt", "oracle"}} {
			planted, absent, err := plantedIn(o.root, p.file, p.kind)
			wrong = errors.Join(wrong, err)
			all, left = append(all, planted...), append(left, absent...)
		}
	}
	if o.automatic {
		auto, err := o.automatics()
		if err != nil {
			return nil, nil, err
		}
		all = append(all, auto...)
	}
	unify(all)
	for i, m := range all {
		m.id = i + 1
	}
	return all, left, wrong
}

// automatics makes them, and takes a sample if one is asked for: always the same one, and spread over all.
func (o *options) automatics() ([]*mutant, error) {
	var all []*mutant
	for _, t := range targets {
		files, err := readPackage(o.root, t.pkg)
		if err != nil {
			return nil, err
		}
		if gone := missing(files, t.functions); len(gone) > 0 {
			return nil, fmt.Errorf("package %s has no functions %q any more: see what they are called now", t.pkg, gone)
		}
		all = append(all, generate(files, t.functions)...)
	}
	if err := o.equivalent.mark(all); err != nil {
		return nil, err
	}
	o.made = len(all)
	if o.sample > 0 && o.sample < len(all) {
		slices.SortFunc(all, func(a, b *mutant) int {
			x, y := sha256.Sum256([]byte(a.Name)), sha256.Sum256([]byte(b.Name))
			return slices.Compare(x[:], y[:])
		})
		all = all[:o.sample]
		slices.SortFunc(all, func(a, b *mutant) int {
			return cmp.Or(strings.Compare(a.edits[0].file.path, b.edits[0].file.path), cmp.Compare(a.edits[0].begin, b.edits[0].begin), strings.Compare(a.Name, b.Name))
		})
	}
	return all, nil
}

// unify makes all mutants share the sources they have in common.
func unify(all []*mutant) {
	files := map[string]*source{}
	for _, m := range all {
		for i := range m.edits {
			e := &m.edits[i]
			if files[e.file.path] == nil {
				files[e.file.path] = e.file
			}
			e.file = files[e.file.path]
		}
	}
}

// mine tells whether a mutant is to be judged by this run.
func (o *options) mine(all []*mutant) ([]*mutant, error) {
	pattern, err := regexp.Compile(o.only)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Sscanf(o.shard, "%d/%d", &o.part, &o.of); err != nil || o.part < 1 || o.part > o.of {
		return nil, fmt.Errorf("--shard %s: want i/n with i from 1 to n", o.shard)
	}
	var mine []*mutant
	for i, m := range all {
		if i%o.of == o.part-1 && pattern.MatchString(m.Name) {
			mine = append(mine, m)
		}
	}
	return mine, nil
}
