package localcloud

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// node is a request as a tree, whether it came as XML or as parameters such as
// Filter.1.Value.2.
type node struct {
	name string
	text string
	kids []*node
}

// kid returns the child of that name, made if need be.
func (n *node) kid(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	k := &node{name: name}
	n.kids = append(n.kids, k)
	return k
}

// readQuery turns form parameters into a tree. Lists are sorted by their index.
func readQuery(form url.Values) *node {
	root := &node{}
	for key, values := range form {
		at := root
		for part := range strings.SplitSeq(key, ".") {
			at = at.kid(part)
		}
		at.text = values[0]
	}
	root.sort()
	return root
}

func (n *node) sort() {
	slices.SortFunc(n.kids, func(a, b *node) int {
		x, _ := strconv.Atoi(a.name)
		y, _ := strconv.Atoi(b.name)
		return x - y
	})
	for _, k := range n.kids {
		k.sort()
	}
}

// readXML turns a body into a tree of its root element's children.
func readXML(r io.Reader) (*node, error) {
	root := &node{}
	path := []*node{root}
	for d := xml.NewDecoder(r); ; {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && len(root.kids) == 1:
			return root.kids[0], nil
		case errors.Is(err, io.EOF):
			return root, nil
		case err != nil:
			return nil, err
		}
		at := path[len(path)-1]
		switch token := token.(type) {
		case xml.StartElement:
			k := &node{name: token.Name.Local}
			at.kids = append(at.kids, k)
			path = append(path, k)
		case xml.CharData:
			at.text += string(token)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

// fill sets an SDK input struct from a tree. Elements that it has no field for
// are passed over.
func fill(v reflect.Value, n *node) error {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return fill(v.Elem(), n)
	case reflect.Struct:
		for _, k := range n.kids {
			if f := fieldFor(v, k.name); f.IsValid() && f.CanSet() {
				if err := fill(f, k); err != nil {
					return fmt.Errorf("%s: %w", k.name, err)
				}
			}
		}
		return nil
	case reflect.Slice:
		return fillList(v, n)
	}
	return fillScalar(v, strings.TrimSpace(n.text))
}

// fieldFor finds the field of an element. EC2 drops the plural of lists:
// InstanceIds comes as InstanceId.1.
func fieldFor(v reflect.Value, name string) reflect.Value {
	if f := v.FieldByName(name); f.IsValid() {
		return f
	}
	if f := v.FieldByName(name + "s"); f.IsValid() && f.Kind() == reflect.Slice {
		return f
	}
	return reflect.Value{}
}

func fillList(v reflect.Value, n *node) error {
	if len(n.kids) == 1 && n.kids[0].name == "member" {
		n = n.kids[0]
	}
	for _, k := range n.kids {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := fill(item, k); err != nil {
			return err
		}
		v.Set(reflect.Append(v, item))
	}
	return nil
}

func fillScalar(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, 64)
		v.SetInt(i)
		return err
	default:
		return fmt.Errorf("no way to read a %s", v.Type())
	}
	return nil
}
