package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// content is the files of a volume by relative path.
type content map[string][]byte

// volumes writes what changed since the last call. An error names an object that is not there yet.
func (p *pod) volumes(ctx context.Context) error {
	for _, volume := range p.spec.Spec.Volumes {
		directory := p.volume(volume.Name)
		if volume.EmptyDir != nil {
			if _, seen := p.written[volume.Name]; seen {
				continue
			}
			if err := os.MkdirAll(directory, 0o777); err != nil {
				return err
			}
			if err := os.Chmod(directory, 0o777); err != nil { // MkdirAll obeys the umask
				return err
			}
			p.written[volume.Name] = content{}
			continue
		}
		if volume.CSI != nil {
			if err := p.publish(ctx, volume); err != nil {
				return fmt.Errorf("volume %s: %w", volume.Name, err)
			}
			continue
		}
		files, err := p.content(ctx, volume)
		if err != nil {
			return fmt.Errorf("volume %s: %w", volume.Name, err)
		}
		if old, seen := p.written[volume.Name]; seen && reflect.DeepEqual(old, files) {
			continue
		}
		if err := swap(directory, files); err != nil {
			return err
		}
		p.written[volume.Name] = files
	}
	return nil
}

// publish has a driver fill a volume, once.
func (p *pod) publish(ctx context.Context, volume core.Volume) error {
	if _, seen := p.written[volume.Name]; seen {
		return nil
	}
	driver := p.kubelet.Drivers[volume.CSI.Driver]
	if driver == nil {
		return fmt.Errorf("the lab has no driver %s", volume.CSI.Driver)
	}
	directory := p.volume(volume.Name)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	if err := driver.Publish(ctx, directory, p.spec); err != nil {
		return err
	}
	p.written[volume.Name] = content{}
	return nil
}

func (p *pod) content(ctx context.Context, volume core.Volume) (content, error) {
	switch {
	case volume.ConfigMap != nil:
		return p.configMap(volume.ConfigMap.Name, volume.ConfigMap.Items, volume.ConfigMap.Optional)
	case volume.Secret != nil:
		return p.secret(volume.Secret.SecretName, volume.Secret.Items, volume.Secret.Optional)
	case volume.DownwardAPI != nil:
		return p.downward(volume.DownwardAPI.Items)
	case volume.Projected != nil:
		files := content{}
		for _, source := range volume.Projected.Sources {
			part, err := p.projection(ctx, source)
			if err != nil {
				return nil, err
			}
			maps.Copy(files, part)
		}
		return files, nil
	}
	return nil, fmt.Errorf("this kind of volume is not supported by the lab")
}

func (p *pod) projection(ctx context.Context, source core.VolumeProjection) (content, error) {
	switch {
	case source.ServiceAccountToken != nil:
		token, err := p.token(ctx, source.ServiceAccountToken)
		return content{source.ServiceAccountToken.Path: []byte(token)}, err
	case source.ConfigMap != nil:
		return p.configMap(source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional)
	case source.Secret != nil:
		return p.secret(source.Secret.Name, source.Secret.Items, source.Secret.Optional)
	case source.DownwardAPI != nil:
		return p.downward(source.DownwardAPI.Items)
	}
	return nil, fmt.Errorf("this kind of projection is not supported by the lab")
}

func (p *pod) configMap(name string, items []core.KeyToPath, optional *bool) (content, error) {
	object, err := p.kubelet.configMaps.ConfigMaps(p.spec.Namespace).Get(name)
	if errors.IsNotFound(err) && optional != nil && *optional {
		return content{}, nil
	}
	if err != nil {
		return nil, err
	}
	files := content{}
	for key, value := range object.Data {
		files[key] = []byte(value)
	}
	maps.Copy(files, object.BinaryData)
	return pick(files, items), nil
}

func (p *pod) secret(name string, items []core.KeyToPath, optional *bool) (content, error) {
	object, err := p.kubelet.secrets.Secrets(p.spec.Namespace).Get(name)
	if errors.IsNotFound(err) && optional != nil && *optional {
		return content{}, nil
	}
	if err != nil {
		return nil, err
	}
	return pick(object.Data, items), nil
}

func (p *pod) downward(items []core.DownwardAPIVolumeFile) (content, error) {
	files := content{}
	for _, item := range items {
		if item.FieldRef != nil {
			value, err := p.field(item.FieldRef.FieldPath)
			if err != nil {
				return nil, err
			}
			files[item.Path] = []byte(value)
		}
		if item.ResourceFieldRef != nil {
			files[item.Path] = []byte(p.resource(item.ResourceFieldRef, item.ResourceFieldRef.ContainerName))
		}
	}
	return files, nil
}

// token requests a token that is bound to the pod from the API server, once for each audience. The lab does not run
// long enough to renew it.
func (p *pod) token(ctx context.Context, source *core.ServiceAccountTokenProjection) (string, error) {
	if token, ok := p.tokens[source.Audience]; ok {
		return token, nil
	}
	request := &authentication.TokenRequest{Spec: authentication.TokenRequestSpec{
		ExpirationSeconds: source.ExpirationSeconds,
		BoundObjectRef:    &authentication.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: p.spec.Name, UID: p.spec.UID},
	}}
	if source.Audience != "" {
		request.Spec.Audiences = []string{source.Audience}
	}
	answer, err := p.kubelet.client.CoreV1().ServiceAccounts(p.spec.Namespace).CreateToken(ctx, p.spec.Spec.ServiceAccountName, request, meta.CreateOptions{})
	if err != nil {
		return "", err
	}
	p.tokens[source.Audience] = answer.Status.Token
	return answer.Status.Token, nil
}

// field is what a fieldRef names.
func (p *pod) field(path string) (string, error) {
	m := p.spec.ObjectMeta
	if rest, ok := strings.CutPrefix(path, "metadata.labels['"); ok {
		return m.Labels[strings.TrimSuffix(rest, "']")], nil
	}
	if rest, ok := strings.CutPrefix(path, "metadata.annotations['"); ok {
		return m.Annotations[strings.TrimSuffix(rest, "']")], nil
	}
	switch path {
	case "metadata.name":
		return m.Name, nil
	case "metadata.namespace":
		return m.Namespace, nil
	case "metadata.uid":
		return string(m.UID), nil
	case "metadata.labels":
		return lines(m.Labels), nil
	case "metadata.annotations":
		return lines(m.Annotations), nil
	case "spec.nodeName":
		return p.kubelet.Node, nil
	case "spec.serviceAccountName":
		return p.spec.Spec.ServiceAccountName, nil
	case "status.podIP", "status.podIPs":
		return p.address, nil
	case "status.hostIP", "status.hostIPs":
		return p.kubelet.Address, nil
	}
	return "", fmt.Errorf("the field %s is not supported by the lab", path)
}

func lines(values map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(values)) {
		quoted, _ := json.Marshal(values[key])
		fmt.Fprintf(&text, "%s=%s\n", key, quoted)
	}
	return text.String()
}

func pick(files content, items []core.KeyToPath) content {
	if len(items) == 0 {
		return files
	}
	picked := content{}
	for _, item := range items {
		if value, ok := files[item.Key]; ok {
			picked[item.Path] = value
		}
	}
	return picked
}

// swap replaces all files at once, as the kubelet does: a link to the directory of the moment is renamed over the old
// one, so no process reads a new certificate with an old key.
func swap(directory string, files content) error {
	generation := fmt.Sprintf("..%d", time.Now().UnixNano())
	for path, data := range files {
		full := filepath.Join(directory, generation, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, data, 0o644); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(directory, generation), 0o755); err != nil {
		return err
	}
	current := filepath.Join(directory, "..data")
	old, _ := os.Readlink(current)
	if err := os.Symlink(generation, current+"_tmp"); err != nil {
		return err
	}
	if err := os.Rename(current+"_tmp", current); err != nil {
		return err
	}
	visible := map[string]bool{}
	for path := range files {
		top, _, _ := strings.Cut(path, "/")
		visible[top] = true
		link := filepath.Join(directory, top)
		if _, err := os.Lstat(link); os.IsNotExist(err) {
			if err := os.Symlink(filepath.Join("..data", top), link); err != nil {
				return err
			}
		}
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, "..") && !visible[name] {
			if err := os.Remove(filepath.Join(directory, name)); err != nil {
				return err
			}
		}
	}
	if old != "" {
		return os.RemoveAll(filepath.Join(directory, old))
	}
	return nil
}
