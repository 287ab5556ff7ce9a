package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"pgregory.net/rapid"
)

func TestEdit(t *testing.T) {
	for _, c := range []struct {
		name, before string
		changes      []Set
		after        string
	}{
		{"change", "[http]\nlisten   =  'a'   # mine\ntoken=\"x\"\n", []Set{{"http.listen", "b"}}, "[http]\nlisten   =  \"b\"   # mine\ntoken=\"x\"\n"},
		{"same value", "a_b = 'x'\nn = 1_000\nf = 1.0\n", []Set{{"a_b", "x"}, {"n", 1000}, {"f", 1.0}}, "a_b = 'x'\nn = 1_000\nf = 1\n"},
		{"kinds", "[x]\na=1\nb=true\nc=\"1s\"\nd=1.5\ne=[]\n", []Set{{"x.a", 2}, {"x.b", false}, {"x.c", 15 * time.Minute}, {"x.d", 0.0001}, {"x.e", []string{"p", "q\"\n"}}},
			"[x]\na=2\nb=false\nc=\"15m\"\nd=0.0001\ne=[\"p\", \"q\\\"\\u000A\"]\n"},
		{"add", "# top\n[http]\n\tlisten = 'a'\n\n# about log\n[log]\nlevel = 'info'", []Set{{"http.token_file", "t"}, {"log.file", "f"}},
			"# top\n[http]\n\tlisten = 'a'\n\ttoken_file = \"t\"\n\n# about log\n[log]\nlevel = 'info'\nfile = \"f\""},
		{"add to an empty section", "[http]\n[log]", []Set{{"http.listen", "a"}, {"log.file", "f"}}, "[http]\nlisten = \"a\"\n[log]\nfile = \"f\""},
		{"add at the top", "# about us\n\n# about http\n[http]\n", []Set{{"data_dir", "d"}}, "# about us\n\ndata_dir = \"d\"\n\n# about http\n[http]\n"},
		{"add at the top of a bare file", "[http]\n", []Set{{"data_dir", "d"}}, "data_dir = \"d\"\n\n[http]\n"},
		{"add behind others at the top", "a = 1\n[http]\n", []Set{{"data_dir", "d"}}, "a = 1\ndata_dir = \"d\"\n[http]\n"},
		{"add to nothing", "", []Set{{"data_dir", "d"}, {"version.mask", ""}}, "data_dir = \"d\"\n\n# Version rolling (BIP 310).\n[version]\nmask = \"\"\n"},
		{"new section", "a = 1", []Set{{"store.path", "p"}}, "a = 1\n\n# The database.\n[store]\npath = \"p\"\n"},
		{"remove", "# 1\n[http] # 2\n# 3\nlisten = 'a' # 4\n# 5\ntoken = '''\nx # no comment\n'''\n# 6", []Set{{"http.listen", nil}, {"http.token", nil}, {"http.missing", nil}}, "# 1\n[http] # 2\n# 3\n# 4\n# 5\n# 6"},
		{"dotted", "http.listen = 'a' # 1\nhttp.token = 'b'\n[log]\n", []Set{{"http.listen", "c"}, {"http.token", nil}, {"http.token_file", "f"}}, "http.listen = \"c\" # 1\nhttp.token_file = \"f\"\n[log]\n"},
		{"inline", "http = { listen = 'a', token = 'b' } # 1\n", []Set{{"http.listen", "c"}, {"http.token_file", "f"}}, "http = { listen = \"c\", token = 'b', token_file = \"f\" } # 1\n"},
		{"inline, remove", "http = {listen='a',token='b'}\nx={a=1}\ny={}\n", []Set{{"http.token", nil}, {"x.a", nil}, {"y.b", 1}}, "http = {listen='a'}\nx={}\ny={ b = 1 }\n"},
		{"inline, remove the first", "http = { listen='a', token='b' }\n", []Set{{"http.listen", nil}}, "http = {  token='b' }\n"},
		{"crlf", "[http]\r\nlisten = 'a'\r\n\r\n[log]\r\nlevel = 'x'\r\n", []Set{{"http.token", "t"}, {"log.level", nil}, {"store.path", "p"}},
			"[http]\r\nlisten = 'a'\r\ntoken = \"t\"\r\n\r\n[log]\r\n\r\n# The database.\r\n[store]\r\npath = \"p\"\r\n"},
		{"looks like it", "[a]\nx = \"\"\"\n[http]\nlisten = 'no'\n\"\"\"\ny = 'listen = 1 # [http]'\n\"http.listen\" = 1\n[http]\n'listen' = 'yes'\n", []Set{{"http.listen", "b"}},
			"[a]\nx = \"\"\"\n[http]\nlisten = 'no'\n\"\"\"\ny = 'listen = 1 # [http]'\n\"http.listen\" = 1\n[http]\n'listen' = \"b\"\n"},
		{"quoted header", "[ \"http\" ] # ] x\n", []Set{{"http.listen", "b"}}, "[ \"http\" ] # ] x\nlisten = \"b\"\n"},
		{"nodes", "[[node]]\nurl = 'a'\n[[node]]\nurl = 'b'\n[log]\n", []Set{{"node.2.url", "c"}, {"node.1.user", "u"}, {"node.3.url", "d"}, {"node.3.user", "v"}},
			"[[node]]\nurl = 'a'\nuser = \"u\"\n[[node]]\nurl = \"c\"\n\n[[node]]\nurl = \"d\"\nuser = \"v\"\n[log]\n"},
		{"first of a repeated section", "a = 1\n", []Set{{"version.mask", ""}, {"node.1.url", "u"}},
			"a = 1\n\n# Version rolling (BIP 310).\n[version]\nmask = \"\"\n\n# Bitcoin nodes, in order of preference. Templates come from the first\n# healthy one, found blocks go to all of them. Repeat the section for more.\n[[node]]\nurl = \"u\"\n"},
		{"remove nodes", "[[node]]\nurl = 'a'\n\n# second\n[[node]]\n# its url\nurl = 'b'\n\n[[node]] # third\nurl = 'c'\n[log]\n", []Set{{"node.1", nil}, {"node.2.url", "x"}, {"node.3", nil}},
			"\n# second\n[[node]]\n# its url\nurl = \"x\"\n\n# third\n[log]\n"},
		{"remove and add nodes", "[[node]]\nurl = 'a'\n[[node]]\nurl = 'b'\n", []Set{{"node.2", nil}, {"node.3.url", "c"}}, "[[node]]\nurl = 'a'\n\n[[node]]\nurl = \"c\"\n"},
		{"remove the last node", "[[node]]\nurl = 'a'\n", []Set{{"node.1", nil}}, ""},
		{"inline nodes", "node = [ { url = 'a' }, { url = 'b' }, # c\n]\n", []Set{{"node.1.url", "x"}, {"node.2", nil}, {"node.3.url", "y"}}, "node = [ { url = \"x\" },  { url = \"y\" } # c\n]\n"},
		{"list on one line", "l = ['a' , 'b']\n", []Set{{"l", []string{"a", "b"}}}, "l = ['a' , 'b']\n"},
		{"list changed on one line", "l = ['a' , 'b']\n", []Set{{"l", []string{"b"}}}, "l = [\"b\"]\n"},
		{"list with comments", "l = [ # 0\n  'a', # 1\n  # 2\n  'b', # 3\n  'c' # 4\n]\n", []Set{{"l", []string{"a", "x", "c", "d"}}}, "l = [ # 0\n  'a', # 1\n  # 2\n  \"x\", # 3\n  'c', # 4\n  \"d\",\n]\n"},
		{"list with comments, shorter", "l = [\n  'a', # 1\n  'b', # 2\n  'c' # 3\n]\n", []Set{{"l", []string{"c"}}}, "l = [\n   # 1\n   # 2\n  'c' # 3\n]\n"},
		{"list with comments, at its beginning", "l = [\n  # 1\n  'b', 'c' ]\n", []Set{{"l", []string{"a", "b", "x", "c"}}}, ""},
		{"list with comments, from nothing", "l = [\n  # 1\n]\n", []Set{{"l", []string{"a", "b"}}}, "l = [\"a\", \"b\",\n  # 1\n]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Edit([]byte(c.before), c.changes)
			if err != nil {
				t.Fatal(err)
			}
			if c.after != "" || c.name == "remove the last node" {
				if diff := cmp.Diff(c.after, string(got)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	for _, c := range []struct {
		before string
		change Set
	}{
		{"a = ", Set{"b", 1}},
		{"a = 1\na = 2\n", Set{"b", 1}},
		{"http = 1\n", Set{"http.listen", "x"}},
		{"[[node]]\n", Set{"node.3.url", "x"}},
		{"[[node]]\n", Set{"node.2", nil}},
		{"[[node]]\n", Set{"node.1", "x"}},
		{"node = 1\n", Set{"node.1.url", "x"}},
		{"node = [1]\n", Set{"node.1.url", "x"}},
		{"[node]\n", Set{"node.1.url", "x"}},
		{"", Set{"x", struct{}{}}},
		{"", Set{"x", "\xff"}},
	} {
		if got, err := Edit([]byte(c.before), []Set{c.change}); !errors.Is(err, ErrEdit) && c.change.Value != "\xff" {
			t.Errorf("%q %+v: %q, %v", c.before, c.change, got, err)
		}
	}
}

// TestEditExample changes every key of the example, each alone, and all at once.
func TestEditExample(t *testing.T) {
	c := Default()
	var all []Set
	for _, f := range c.fields() {
		var other any
		switch v := f.value.Interface().(type) {
		case string:
			other = v + " other"
		case Secret:
			other = NewSecret("other")
		case bool:
			other = !v
		case int:
			other = v + 1
		case float64:
			other = v + 1.5
		case time.Duration:
			other = v + time.Hour
		case []string:
			other = append(slices.Clone(v), "other")
		default:
			t.Fatalf("%s is a %T", f.key, v)
		}
		one := Set{f.key, other}
		all = append(all, one)
		got, err := Edit([]byte(example), []Set{one})
		if err != nil {
			t.Fatalf("%s: %v", f.key, err)
		}
		if before, after := strings.Split(example, "\n"), strings.Split(string(got), "\n"); len(before) != len(after) || differing(before, after) != 1 {
			t.Errorf("%s: %d lines of %d differ", f.key, differing(before, after), len(before))
		}
		before := f.value.Interface()
		if f.key == "node.1.name" {
			before = "" // it follows from the url
		}
		back, err := Edit(got, []Set{{f.key, before}})
		if err != nil || string(back) != example {
			t.Errorf("%s: not the example again, %v", f.key, err)
		}
		removed, err := Edit([]byte(example), []Set{{f.key, nil}})
		if err != nil || strings.Count(string(removed), "\n") != strings.Count(example, "\n")-1 {
			t.Errorf("%s: not removed, %v", f.key, err)
		}
	}
	got, err := Edit([]byte(example), all)
	if err != nil {
		t.Fatal(err)
	}
	if n := differing(strings.Split(example, "\n"), strings.Split(string(got), "\n")); n != len(all) {
		t.Errorf("%d lines differ for %d changes", n, len(all))
	}
}

func differing(a, b []string) (n int) {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// flatten is a document as keys without order, for comparing.
func flatten(t interface{ Fatal(...any) }, data []byte) map[string]any {
	var document map[string]any
	if err := toml.Unmarshal(data, &document); err != nil {
		t.Fatal(err, string(data))
	}
	flat := make(map[string]any)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				walk(path+"/"+name, member)
			}
		case []any:
			if len(v) > 0 {
				if _, tables := v[0].(map[string]any); tables {
					for i, e := range v {
						walk(fmt.Sprint(path, "/", i+1), e)
					}
					return
				}
			}
			flat[path] = fmt.Sprintf("%q", v)
		case int64:
			flat[path] = float64(v)
		default:
			flat[path] = v
		}
	}
	walk("", document)
	return flat
}

// TestEditProperty writes documents in every style and changes keys in them.
func TestEditProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, keys := drawDocument(t)
		before := flatten(t, []byte(doc))
		var changes []Set
		want := make(map[string]any)
		for k, v := range before {
			want[k] = v
		}
		changed := make(map[string]bool)
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			flat := "/" + strings.ReplaceAll(key, ".", "/")
			if changed[key] {
				continue
			}
			changed[key] = true
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				changes = append(changes, Set{Key: key})
				delete(want, flat)
			case 1:
				list := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "#c", "]", "d\""}), 0, 4).Draw(t, "list")
				changes = append(changes, Set{key, list})
				any := make([]any, len(list))
				for i, s := range list {
					any[i] = s
				}
				want[flat] = fmt.Sprintf("%q", any)
			case 2:
				n := rapid.IntRange(-5, 1e6).Draw(t, "number")
				changes = append(changes, Set{key, n})
				want[flat] = float64(n)
			default:
				s := rapid.SampledFrom([]string{"", "x", "[http]\nlisten = 1", "a # b", `\"'`, "ä€\u202e\x7f\t", "'''", `"""`}).Draw(t, "text")
				changes = append(changes, Set{key, s})
				want[flat] = s
			}
		}
		edited, err := Edit([]byte(doc), changes)
		if err != nil {
			t.Fatalf("%v\n%+v\n%s", err, changes, doc)
		}
		if diff := cmp.Diff(want, flatten(t, edited)); diff != "" {
			t.Fatalf("(-want +got)\n%s\n%+v\n%s\n→\n%s", diff, changes, doc, edited)
		}
		// Comments have numbers of their own, and lines of keys too.
		at := 0
		for i := 0; strings.Contains(doc, fmt.Sprintf("# c%d.", i)); i++ {
			next := strings.Index(string(edited)[at:], fmt.Sprintf("# c%d.", i))
			if next < 0 {
				t.Fatalf("comment %d is gone or not in its place\n%+v\n%s\n→\n%s", i, changes, doc, edited)
			}
			at += next
		}
		if len(changed) > 0 && strings.Contains(doc, "\r\n") && strings.Contains(strings.ReplaceAll(string(edited), "\r\n", ""), "\n") {
			t.Fatalf("line ends are mixed\n%q", edited)
		}
		for line := range strings.Lines(doc) {
			touched := false
			for key := range changed {
				name := key[strings.LastIndexByte(key, '.')+1:]
				touched = touched || strings.Contains(line, name) || strings.HasPrefix(line, "inline") && strings.HasPrefix(key, "inline")
			}
			if !touched && !strings.Contains(line, "part") && !strings.HasPrefix(strings.TrimSpace(line), "]") && !strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.Contains(string(edited), strings.TrimRight(line, "\r\n")) {
				t.Fatalf("line %q is gone\n%+v\n%s\n→\n%s", line, changes, doc, edited)
			}
		}
	})
}

// drawDocument makes a document, and names keys that are in it and some that are
// not.
func drawDocument(t *rapid.T) (doc string, keys []string) {
	var b strings.Builder
	comments := 0
	comment := func() string {
		comments++
		return fmt.Sprintf("# c%d. x = [1] ' \"", comments-1)
	}
	maybe := func(name string) bool { return rapid.Bool().Draw(t, name) }
	remark := func() {
		if maybe("comment line") {
			b.WriteString(rapid.SampledFrom([]string{"", "  ", "\t"}).Draw(t, "indent") + comment() + "\n")
		}
		if maybe("empty line") {
			b.WriteString("\n")
		}
	}
	names := 0
	value := func(inline bool) string {
		kinds := 5
		if !inline {
			kinds = 9
		}
		switch rapid.IntRange(0, kinds).Draw(t, "value") {
		case 0:
			return "12_3"
		case 1:
			return "'# no comment, [http]'"
		case 2:
			return `"a\"b # ] }"`
		case 3:
			return "[ 'a', \"b\" ]"
		case 4:
			return "[]"
		case 5:
			return "true"
		case 6:
			return "\"\"\"part one\npart = 'two' # no comment\n[part]\"\"\""
		case 7:
			return "'''part\n''part'' # none\npart'''"
		case 8:
			return "[ " + comment() + "\n  'part1', " + comment() + "\n" + "  'part2' ,\n " + comment() + "\n 'part3'" + rapid.SampledFrom([]string{"", ",", " # c"}).Draw(t, "end") + "\n]"
		default:
			return "[ 'part1',\n  'part2', 'part3' ]"
		}
	}
	pair := func(section, prefix string) {
		names++
		name := fmt.Sprintf("key%d_", names)
		keys = append(keys, joinKey(section, name))
		written := name
		if maybe("quoted") {
			written = `"` + name + `"`
		}
		b.WriteString(rapid.SampledFrom([]string{"", "  "}).Draw(t, "indent") + prefix + written + rapid.SampledFrom([]string{"=", " = ", "\t=  "}).Draw(t, "equals") + value(false))
		if maybe("comment behind") {
			b.WriteString(" " + comment())
		}
		b.WriteString("\n")
	}
	for range rapid.IntRange(0, 2).Draw(t, "top") {
		remark()
		pair("", "")
	}
	if maybe("dotted section") {
		for range rapid.IntRange(1, 3).Draw(t, "dotted") {
			remark()
			pair("dots", rapid.SampledFrom([]string{"dots.", "dots . ", "'dots'."}).Draw(t, "dots"))
		}
		keys = append(keys, "dots.missing_")
	}
	if maybe("inline section") {
		remark()
		var members []string
		for range rapid.IntRange(0, 3).Draw(t, "inline") {
			names++
			name := fmt.Sprintf("key%d_", names)
			keys = append(keys, "inline."+name)
			members = append(members, name+" = "+value(true))
		}
		b.WriteString("inline = {" + strings.Join(members, " , ") + "}")
		if maybe("comment behind") {
			b.WriteString(" " + comment())
		}
		b.WriteString("\n")
		keys = append(keys, "inline.missing_")
	}
	for _, section := range rapid.Permutation([]string{"one", "two", "three"}).Draw(t, "sections") {
		if !maybe("section") {
			continue
		}
		remark()
		b.WriteString("[" + section + "]")
		if maybe("comment behind") {
			b.WriteString(" " + comment())
		}
		b.WriteString("\n")
		for range rapid.IntRange(0, 3).Draw(t, "keys") {
			remark()
			pair(section, "")
		}
	}
	nodes := rapid.IntRange(0, 2).Draw(t, "nodes")
	for n := range nodes {
		remark()
		b.WriteString("[[many]]\n")
		pair(fmt.Sprintf("many.%d", n+1), "")
		remark()
	}
	keys = append(keys, "missing_", "one.missing_", "two.missing_", "other.missing_", fmt.Sprintf("many.%d.missing_", max(nodes, 1)))
	if nodes == 0 {
		keys = keys[:len(keys)-1]
	}
	doc = b.String()
	if maybe("no final line end") {
		doc = strings.TrimRight(doc, "\n")
	}
	if maybe("crlf") {
		doc = strings.ReplaceAll(doc, "\n", "\r\n")
	}
	return doc, keys
}

// commentsOf lists the comments as the library's parser sees them.
func commentsOf(data []byte) (list []string) {
	p := unstable.Parser{KeepComments: true}
	p.Reset(data)
	var walk func(n *unstable.Node)
	walk = func(n *unstable.Node) {
		for ; n != nil; n = n.Next() {
			if n.Kind == unstable.Comment {
				list = append(list, strings.TrimRight(string(n.Data), "\r"))
			}
			walk(n.Child())
		}
	}
	for p.NextExpression() {
		walk(p.Expression())
	}
	slices.Sort(list)
	return list
}

func FuzzEdit(f *testing.F) {
	for _, doc := range []string{example, "", "a = 1", "[a]\nb.c = {d = [1, {e = 'f'}]} # x\n", "[[node]]\n[[node]]\nurl='x'\n", "l = [\n'a', # b\n]\r\n", "'a.b' = 1\n[x.y]\n[x]\n", "a = {\n# c\nb = 1, }\n"} {
		for _, key := range []string{"a", "a.b", "node.1.url", "node.2", "http.listen", "l", "x.y.z"} {
			f.Add([]byte(doc), key, "value", uint8(0))
			f.Add([]byte(doc), key, "a,b", uint8(1))
			f.Add([]byte(doc), key, "", uint8(2))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, key, text string, kind uint8) {
		for part := range strings.SplitSeq(key, ".") {
			if !bareKey.MatchString(part) {
				return // no key of any configuration
			}
		}
		change := Set{Key: key, Value: text}
		switch kind % 3 {
		case 1:
			change.Value = strings.Split(text, ",")
		case 2:
			change.Value = nil
		}
		edited, err := Edit(data, []Set{change})
		if err != nil {
			if !errors.Is(err, ErrEdit) {
				t.Fatalf("error %v", err)
			}
			return
		}
		var before, after map[string]any
		if toml.Unmarshal(data, &before) != nil {
			t.Fatal("edited what is not valid")
		}
		if err := toml.Unmarshal(edited, &after); err != nil {
			t.Fatalf("%v\n%s", err, edited)
		}
		// Whatever the change did, doing it again does nothing more.
		if change.Value != nil {
			again, err := Edit(edited, []Set{change})
			if err != nil || !reflect.DeepEqual(again, edited) {
				t.Fatalf("once more: %v\n%q\n%q", err, edited, again)
			}
		}
		// Comments stay; new sections bring theirs.
		now := commentsOf(edited)
		for _, c := range commentsOf(data) {
			i, found := slices.BinarySearch(now, c)
			if !found {
				t.Fatalf("comment %q is gone\n%q\n%q", c, data, edited)
			}
			now = slices.Delete(now, i, i+1)
		}
	})
}
