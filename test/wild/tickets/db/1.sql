create table if not exists tickets (id serial primary key, title text not null)
