package kubelet

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// Image is what the lab has in place of a container image: the programs that are put into the file system, and which
// one runs when the container names none.
type Image struct {
	Match      string            // part of the image's name
	Files      map[string]string // path inside → path on this computer
	Entrypoint []string
	User       int64 // when neither pod nor container names one
}

func (k *Kubelet) image(name string) (Image, error) {
	for _, image := range k.Images {
		if strings.Contains(name, image.Match) {
			return image, nil
		}
	}
	return Image{}, fmt.Errorf("the lab has no image %q", name)
}

// environment evaluates a container's variables in their order.
func (p *pod) environment(container core.Container) (map[string]string, error) {
	values := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME": p.spec.Name, "HOME": "/",
		"KUBERNETES_SERVICE_HOST": p.kubelet.APIServiceIP, "KUBERNETES_SERVICE_PORT": "443",
	}
	for _, variable := range container.Env {
		value, err := p.variable(variable, container, values)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", variable.Name, err)
		}
		values[variable.Name] = value
	}
	return values, nil
}

// expand puts variables into a command line, which Kubernetes writes as $(NAME).
func expand(words []string, values map[string]string) []string {
	var expanded []string
	for _, word := range words {
		expanded = append(expanded, expansion.Expand(word, expansion.MappingFuncFor(values)))
	}
	return expanded
}

// assignments are the variables as the program env takes them.
func assignments(values map[string]string) []string {
	list := []string{"env", "-i"}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, name+"="+values[name])
	}
	return list
}

func (p *pod) variable(variable core.EnvVar, container core.Container, values map[string]string) (string, error) {
	from := variable.ValueFrom
	switch {
	case from == nil:
		return expansion.Expand(variable.Value, expansion.MappingFuncFor(values)), nil
	case from.FieldRef != nil:
		return p.field(from.FieldRef.FieldPath)
	case from.ResourceFieldRef != nil:
		return p.resource(from.ResourceFieldRef, container.Name), nil
	case from.ConfigMapKeyRef != nil:
		files, err := p.configMap(from.ConfigMapKeyRef.Name, nil, from.ConfigMapKeyRef.Optional)
		return string(files[from.ConfigMapKeyRef.Key]), err
	case from.SecretKeyRef != nil:
		files, err := p.secret(from.SecretKeyRef.Name, nil, from.SecretKeyRef.Optional)
		return string(files[from.SecretKeyRef.Key]), err
	}
	return "", fmt.Errorf("this source is not supported by the lab")
}

// resource is a limit in whole units, rounded up; without a limit it is the computer's.
func (p *pod) resource(selector *core.ResourceFieldSelector, containerName string) string {
	name := core.ResourceName(strings.TrimPrefix(strings.TrimPrefix(selector.Resource, "limits."), "requests."))
	quantity := p.kubelet.capacity[name]
	for _, container := range slices.Concat(p.spec.Spec.InitContainers, p.spec.Spec.Containers) {
		if limit, ok := container.Resources.Limits[name]; ok && container.Name == containerName {
			quantity = limit
		}
	}
	if divisor := selector.Divisor.Value(); divisor > 1 {
		return strconv.FormatInt((quantity.Value()+divisor-1)/divisor, 10)
	}
	return strconv.FormatInt(quantity.Value(), 10)
}

// privileges is the setpriv command line that gives a process what its security contexts leave it.
func (p *pod) privileges(container core.Container, image Image) []string {
	of := p.spec.Spec.SecurityContext
	if of == nil {
		of = &core.PodSecurityContext{}
	}
	own := container.SecurityContext
	if own == nil {
		own = &core.SecurityContext{}
	}
	user := first(own.RunAsUser, of.RunAsUser, &image.User)
	group := first(own.RunAsGroup, of.RunAsGroup, &user)
	args := []string{"setpriv", "--reuid", fmt.Sprint(user), "--regid", fmt.Sprint(group)}
	if of.FSGroup != nil {
		args = append(args, "--groups", fmt.Sprint(*of.FSGroup))
	} else {
		args = append(args, "--clear-groups")
	}
	if own.Privileged == nil || !*own.Privileged {
		args = append(args, "--inh-caps=-all", "--bounding-set="+bounding(own.Capabilities, user))
	}
	if own.AllowPrivilegeEscalation != nil && !*own.AllowPrivilegeEscalation {
		args = append(args, "--no-new-privs")
	}
	return append(args, "--")
}

// bounding is empty for ordinary users: no program of the lab's images carries capabilities of its own.
func bounding(capabilities *core.Capabilities, user int64) string {
	set := "-all"
	if capabilities == nil {
		if user == 0 {
			return "+all"
		}
		return set
	}
	for _, add := range capabilities.Add {
		set += ",+" + strings.ToLower(string(add))
	}
	return set
}

func first(values ...*int64) int64 {
	for _, value := range values {
		if value != nil {
			return *value
		}
	}
	return 0
}
