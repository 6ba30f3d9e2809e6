//! Random gateways against a model: connections come, go, come back and move about, gateways die, are cut off and
//! lapse, messages are repeated and overtake each other, from many tasks over two replicas.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use carillon_presence::{GRACE, LEASE};
use carillon_testkit::service::Place;
use futures_util::future::join_all;
use tokio::task::JoinSet;

use crate::{
    gateway::{Gateway, every_topic},
    model::Model,
    random::Random,
    world::World,
};

const ROUNDS: usize = 2;
const GATEWAYS: usize = 8;
const STEPS: usize = 120;

pub(crate) async fn announcements_agree_with_a_model(place: Place) {
    let (world, model) = (Arc::new(World::start(place).await), Arc::new(Model::default()));
    let mut living = Vec::new();
    for round in 0..ROUNDS {
        let mut random = Random::new();
        living = run(&world, &model, &mut random).await;
        if round == 0 {
            // All are cut off, and lapse.
            world.pass(LEASE);
            world.sweep().await;
        }
        settle(&world, &mut living).await;
        check(&world, &model).await;
    }
    for gateway in &mut living {
        gateway.die(&model);
    }
    settle(&world, &mut Vec::new()).await;
    check(&world, &model).await;
    assert!(world.rows("SELECT connection FROM presence_entry").await.is_empty());
    for topic in every_topic() {
        assert!(!world.announced(&topic).await.is_empty(), "nothing happened in {topic}");
    }
}

/// All gateways at once, while time passes and both replicas sweep. Those that are alive at the end
/// are returned; the others' connections, and those of the rounds before, are dead.
async fn run(world: &Arc<World>, model: &Arc<Model>, random: &mut Random) -> Vec<Gateway> {
    model.everyone_dies();
    let mut gateways = JoinSet::new();
    for _ in 0..GATEWAYS {
        let mut gateway = Gateway::new(world, model, random.another());
        gateways.spawn(async move {
            for _ in 0..STEPS {
                gateway.step().await;
            }
            gateway.finish().await;
            gateway
        });
    }
    let mut living = Vec::new();
    let mut clock = random.another();
    while !gateways.is_empty() {
        world.pass(Duration::from_millis(clock.below(5_000)));
        world.sweep().await;
        while let Some(gateway) = gateways.try_join_next() {
            living.push(gateway.expect("no gateway panics"));
        }
    }
    living
}

/// The living renew and find out what they lost, what is due goes, and the dead lapse.
async fn settle(world: &World, living: &mut [Gateway]) {
    let step = LEASE / 3;
    assert!(step >= GRACE);
    for gateway in living.iter_mut() {
        gateway.say_again().await;
    }
    for _ in 0..6 {
        for gateway in living.iter_mut() {
            gateway.renew().await;
            gateway.finish().await;
        }
        world.pass(step);
        world.sweep().await;
    }
}

/// What was announced makes sense by itself, and is what the rows say, which is what the model says.
async fn check(world: &World, model: &Model) {
    let expected = model.counts();
    let columns = "SELECT topic, member, connections FROM presence_member ORDER BY topic, member";
    let rows = world.rows(columns).await.into_iter();
    let rows: BTreeMap<_, _> =
        rows.map(|row| ((row[0].clone(), row[1].clone()), row[2].parse::<usize>().unwrap())).collect();
    assert_eq!(rows, expected, "the rows are not what is alive");
    let entries = world.rows("SELECT connection, topic, member FROM presence_entry").await;
    assert_eq!(entries.into_iter().collect::<BTreeSet<_>>(), model.entries());
    let positions = "SELECT connection, scope, topic, member FROM presence_position \
         WHERE out_since = 0 AND topic <> ''";
    let positions = world.rows(positions).await;
    assert_eq!(positions.into_iter().collect::<BTreeSet<_>>(), model.positions());
    let topics = every_topic();
    let announced = join_all(topics.iter().map(|topic| told(world, topic))).await;
    for (topic, told) in topics.iter().zip(announced) {
        let there: BTreeSet<_> = expected.keys().filter(|(name, _)| name == topic).cloned().collect();
        let told: BTreeSet<_> = told.into_iter().map(|member| (topic.clone(), member)).collect();
        assert_eq!(told, there, "what was announced is not what is so");
        let size = format!("SELECT members FROM presence_topic WHERE topic = '{topic}'");
        assert_eq!(world.rows(&size).await, [[there.len().to_string()]]);
    }
    let open = "SELECT connection FROM presence_connection WHERE left_at = 0";
    let open: BTreeSet<_> = world.rows(open).await.into_iter().flatten().collect();
    assert_eq!(open, model.open());
    assert!(world.rows("SELECT connection FROM presence_connection WHERE due > 0").await.is_empty());
}

/// Who is there after all that was announced in a topic: each came before it went, and went before
/// it came again, and every size is right.
async fn told(world: &World, topic: &str) -> BTreeSet<String> {
    let (mut there, mut version) = (BTreeSet::new(), 0);
    for event in world.announced(topic).await {
        let member = event["member"].as_str().expect("a member").to_owned();
        if event["joined"] == true {
            assert!(there.insert(member), "{event} came twice");
        } else {
            assert!(there.remove(&member), "{event} went without being there");
        }
        assert_eq!(event["size"], there.len());
        let next = event["version"].as_i64().expect("a version");
        assert!(next > version, "{event} has no new version");
        version = next;
    }
    there
}
