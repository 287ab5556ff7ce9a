package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// secretType is a text that is built differently.
var secretType = reflect.TypeFor[Secret]()

// setTOML puts a decoded TOML value into a field. Integers are accepted where a
// float is wanted, durations are strings such as "30s".
func setTOML(target reflect.Value, value any) error {
	switch v := value.(type) {
	case string:
		switch {
		case target.Type() == reflect.TypeFor[time.Duration]():
			return setString(target, v)
		case target.Kind() == reflect.String:
			target.SetString(v)
			return nil
		case target.Type() == secretType:
			target.Set(reflect.ValueOf(NewSecret(v)))
			return nil
		}

	case bool:
		if target.Kind() == reflect.Bool {
			target.SetBool(v)
			return nil
		}

	case int64:
		if v == 0 && target.Type() == reflect.TypeFor[time.Duration]() {
			target.SetInt(0)
			return nil
		}
		switch target.Kind() {
		case reflect.Int:
			target.SetInt(v)
			return nil
		case reflect.Float64:
			target.SetFloat(float64(v))
			return nil
		}

	case float64:
		if target.Kind() == reflect.Float64 {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return errors.New("must be a finite number")
			}
			target.SetFloat(v)
			return nil
		}

	case []any:
		if target.Type() == reflect.TypeFor[[]string]() {
			list := make([]string, 0, len(v))
			for _, element := range v {
				s, ok := element.(string)
				if !ok {
					return fmt.Errorf("must be %s", kindName(target.Type()))
				}
				list = append(list, s)
			}
			target.Set(reflect.ValueOf(list))
			return nil
		}
	}
	return fmt.Errorf("must be %s", kindName(target.Type()))
}

// setString parses a value from the environment or the command line into a
// field. Lists are separated by commas; the error never repeats the value, it
// might be a secret.
func setString(target reflect.Value, s string) error {
	bad := fmt.Errorf("must be %s", kindName(target.Type()))
	switch {
	case target.Type() == reflect.TypeFor[time.Duration]():
		d := time.Duration(0)
		if s != "" && s != "0" {
			var err error
			if d, err = time.ParseDuration(s); err != nil {
				return bad
			}
		}
		target.SetInt(int64(d))

	case target.Type() == reflect.TypeFor[[]string]():
		list := []string{}
		for element := range strings.SplitSeq(s, ",") {
			if element = strings.TrimSpace(element); element != "" {
				list = append(list, element)
			}
		}
		target.Set(reflect.ValueOf(list))

	case target.Kind() == reflect.String:
		target.SetString(s)

	case target.Type() == secretType:
		target.Set(reflect.ValueOf(NewSecret(s)))

	case target.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return bad
		}
		target.SetBool(b)

	case target.Kind() == reflect.Int:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return bad
		}
		target.SetInt(n)

	case target.Kind() == reflect.Float64:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return bad
		}
		target.SetFloat(f)

	default:
		return fmt.Errorf("cannot be set: unsupported type %s", target.Type())
	}
	return nil
}

// kindName says in words what a key wants.
func kindName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return `a duration such as "30s"`
	case t == reflect.TypeFor[[]string]():
		return `a list of texts such as ["a", "b"]`
	}
	if t == secretType {
		t = reflect.TypeFor[string]()
	}
	switch t.Kind() {
	case reflect.String:
		return `a text in quotes`
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return t.String()
	}
}
