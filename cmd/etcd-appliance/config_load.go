package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/hashicorp/go-envparse"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// given is what one source says of one setting.
type given struct {
	texts []string
	where string // the source, as an error names it: "flag --stop-grace"
	drop  string // how to make the source say nothing: "leave the flag out"
}

// A source knows some of the settings.
type source func(f *pflag.Flag) (given, bool)

// LoadConfig gives the configuration: each setting from the first source that has it, which are the flags, the environment,
// the file that --config names, and the default. Flags are the parsed ones of [configFlags]; env is os.LookupEnv.
func LoadConfig(flags *pflag.FlagSet, env func(string) (string, bool)) (Config, error) {
	c, err := readConfig(flags, fromEnv(env))
	if err == nil {
		err = c.validate()
	}
	if err != nil {
		return Config{}, err
	}
	return c, nil
}

// readConfig gives it as it is written, whether or not a daemon could run with it. Of the flags only those need be there that may
// be given; what they do not say the environments say.
func readConfig(flags *pflag.FlagSet, environments ...source) (Config, error) {
	var c Config
	own := configFlags(&c)
	outside := append([]source{fromFlags(flags)}, environments...)
	if _, err := takeSetting(own.Lookup("config"), outside); err != nil {
		return Config{}, err
	}
	file, err := fromFile(c.ConfigFile, own)
	if err != nil {
		return Config{}, err
	}
	c.sources = map[string]string{}
	own.VisitAll(func(f *pflag.Flag) {
		if err != nil {
			return
		}
		var where string
		if where, err = takeSetting(f, append(outside, file)); where != "" {
			c.sources[f.Name] = where
		}
	})
	if err != nil {
		return Config{}, err
	}
	return c, nil
}

// takeSetting sets a flag to what the first source that knows it says, and tells which that was.
func takeSetting(f *pflag.Flag, sources []source) (where string, err error) {
	for _, ask := range sources {
		g, ok := ask(f)
		if !ok {
			continue
		}
		if len(g.texts) > 1 && !f.Value.(*setting).many {
			return "", errorWithHint(fmt.Errorf("%s: takes one value, not %d", g.where, len(g.texts)), "give one value, or "+g.drop)
		}
		for _, text := range g.texts {
			if err := f.Value.Set(text); err != nil {
				return "", g.wrong(f, text, err)
			}
		}
		return g.where, nil
	}
	return "", nil
}

// wrong says where a value came from, what it is, what is allowed and what else to do.
func (g given) wrong(f *pflag.Flag, text string, err error) error {
	hint := hintOf(err)
	if hint != "" {
		hint += ", or "
	}
	hint += g.drop
	if f.DefValue != "" {
		hint += " for the default, " + f.DefValue
	}
	return errorWithHint(fmt.Errorf("%s: %q %w", g.where, text, err), hint)
}

func fromFlags(flags *pflag.FlagSet) source {
	return func(f *pflag.Flag) (given, bool) {
		if !flags.Changed(f.Name) {
			return given{}, false
		}
		return given{flags.Lookup(f.Name).Value.(*setting).texts, "flag --" + f.Name, "leave the flag out"}, true
	}
}

// predecessors are the variables that the daemon's predecessor was configured by.
var predecessors = map[string]string{
	"active-regions":    "ACTIVE_REGIONS",
	"hosted-zone":       "HOSTED_ZONE",
	"etcd-version":      "ETCDVERSION",
	"etcd-version-prev": "ETCDVERSION_PREV",
}

// variableOf is ETCD_APPLIANCE_HOSTED_ZONE for --hosted-zone.
func variableOf(flag string) string {
	return "ETCD_APPLIANCE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnv takes an empty variable for one that is not set: unit files and launch templates leave such behind.
func fromEnv(env func(string) (string, bool)) source {
	return fromVariables(env, "environment variable ", "unset the variable")
}

// fromEnvironmentFile reads variables as the service manager does for the daemon. A file that is not there says nothing.
func fromEnvironmentFile(path string) (source, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return func(*pflag.Flag) (given, bool) { return given{}, false }, nil
	}
	if err != nil {
		return nil, errorWithHint(fmt.Errorf("the daemon's settings: %w", err), "run this as root, or name another file with --environment-file")
	}
	defer func() { _ = file.Close() }()
	variables, err := envparse.Parse(file)
	if err != nil {
		return nil, errorWithHint(fmt.Errorf("%s: %w", path, err), "it holds lines such as ETCD_APPLIANCE_HOSTED_ZONE=example.org, and comments that begin with #")
	}
	return fromVariables(func(name string) (string, bool) { text, ok := variables[name]; return text, ok }, path+": ", "delete the line"), nil
}

func fromVariables(env func(string) (string, bool), where, drop string) source {
	return func(f *pflag.Flag) (given, bool) {
		for _, name := range []string{variableOf(f.Name), predecessors[f.Name]} {
			text, _ := env(name)
			if name == "" || strings.TrimSpace(text) == "" {
				continue
			}
			texts := []string{text}
			if f.Value.(*setting).many {
				texts = strings.Fields(text)
			}
			return given{texts, where + name, drop}, true
		}
		return given{}, false
	}
}

// fromFile reads a YAML mapping whose keys are names of flags. Values are taken as they are written, so that
// etcd-version: 3.10 is not 3.1. A key without a value says nothing.
func fromFile(path string, known *pflag.FlagSet) (source, error) {
	values := map[string]given{}
	say := func(f *pflag.Flag) (given, bool) { g, ok := values[f.Name]; return g, ok }
	if path == "" {
		return say, nil
	}
	root, err := readYAML(path)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		name, at := key.Value, fmt.Sprintf("%s:%d", path, key.Line)
		f := known.Lookup(name)
		if f == nil || name == "config" {
			return nil, errorWithHint(fmt.Errorf("%s: unknown key %q", at, name), hintForKey(name, known))
		}
		if _, twice := values[name]; twice {
			return nil, errorWithHint(fmt.Errorf("%s: %s is given a second time", at, name), "delete one of the two lines")
		}
		g := given{where: at + ": " + name, drop: "delete the line"}
		elements := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			elements = value.Content
		}
		for _, e := range elements {
			if e.Kind != yaml.ScalarNode {
				return nil, errorWithHint(fmt.Errorf("%s: takes no nested value", g.where), "write it as "+name+": VALUE")
			}
			if e.Tag != "!!null" {
				g.texts = append(g.texts, e.Value)
			}
		}
		if len(g.texts) > 0 {
			values[name] = g
		}
	}
	return say, nil
}

// readYAML gives the mapping of a file with one document; an empty file is an empty mapping.
func readYAML(path string) (*yaml.Node, error) {
	const hint = "a configuration file is one YAML mapping, such as cluster-name: releaseetcd"
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errorWithHint(err, "--config or ETCD_APPLIANCE_CONFIG is to name a readable YAML file")
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return &document, nil
	case err != nil:
		return nil, errorWithHint(fmt.Errorf("%s: %w", path, err), hint)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode && root.Tag != "!!null" {
		return nil, errorWithHint(fmt.Errorf("%s:%d: not a mapping of keys to values", path, root.Line), hint)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errorWithHint(fmt.Errorf("%s: more than one YAML document", path), hint)
	}
	return root, nil
}

func hintForKey(name string, known *pflag.FlagSet) string {
	var names []string
	known.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" { // a file does not name another
			names = append(names, f.Name)
		}
	})
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return "the keys are the names of the flags: etcd-appliance run --help-all"
}

// nearest is the known name that a reader would take the wrong one for, or nothing. Case and separators do not count.
func nearest(wrong string, known []string) string {
	plain := func(s string) string { return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)) }
	best, least := "", len(plain(wrong))/3+1
	for _, name := range known {
		if d := distance(plain(wrong), plain(name)); d < least || d == least && best == "" {
			best, least = name, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements that make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
