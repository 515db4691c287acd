//! Images that want more than they get.

use bailiwick::spec;
use serde_json::json;

use crate::engine::place::Wish;
use crate::engine::{Made, Raw, is_there};

#[tokio::test(flavor = "multi_thread")]
async fn d13_the_engines_settings_win_over_the_images() {
    if !is_there() {
        return;
    }
    let changes = [
        "ENTRYPOINT [\"/bin/false\"]",
        "CMD [\"--privileged\"]",
        "VOLUME /vol",
        "USER 0",
        "WORKDIR /proc/self/fd/8",
        "HEALTHCHECK --interval=1s CMD touch /workspace/checked",
        "ENV HOME=/of/image",
        "EXPOSE 80",
    ];
    let image = Made::new("d13", "mkdir -m 0777 /vol && echo of-image >/vol/x", &changes);
    let place = Wish::new(json!({"image": image.0})).open().await;
    assert_eq!(
        place.text("id -u; pwd; echo $HOME; touch /vol/y && df -T /vol | tail -n 1 | cut -d' ' -f1").await,
        "1000\n/workspace\n/of/image\ntmpfs\n"
    );
    let container = place.inspect();
    assert!(container["State"].get("Health").is_none_or(serde_json::Value::is_null), "{}", container["State"]);
    let volumes = container["Mounts"].as_array().unwrap().iter().filter(|mount| mount["Type"] == "volume").count();
    assert_eq!((volumes, container["NetworkSettings"]["Ports"].as_object().map_or(0, serde_json::Map::len)), (0, 0));
    place.close().await;
}

#[tokio::test]
async fn d13_what_is_no_reference_is_refused_before_the_engine_is_asked() {
    let wish = Wish::new(json!({}));
    let registry = wish.registry();
    for image in
        ["img:tag --privileged", "--privileged", "../../containers/json", "a?b=c", "a%2fb", "img@sha256:beef", ""]
    {
        let value = json!({"type": "docker", "name": "t", "docker": {"image": image}});
        assert!(spec::from_value(value, "t", &registry, &[]).is_err(), "{image}");
    }
    if !is_there() {
        return;
    }
    let mut request = bailiwick::SpawnRequest::default();
    request.options.insert("image".to_owned(), json!("../../containers/json"));
    assert!(Wish::new(json!({})).request(request).try_open().await.is_err());
    let absent = format!("bailiwick-test/busybox@sha256:{}", "0".repeat(64));
    let error = Wish::new(json!({"image": absent})).try_open().await.err().unwrap();
    assert!(error.to_string().contains("is not there"), "{error}");
    assert!(Raw::get("/_ping").is_ok());
}
